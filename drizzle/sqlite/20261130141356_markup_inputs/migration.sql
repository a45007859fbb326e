-- Markup was missing from the inputs of a task.
DROP TRIGGER `tasks_insert`;
--> statement-breakpoint
CREATE TRIGGER `tasks_insert` AFTER INSERT ON `tasks` BEGIN
  insert into task_labels (project_id, label, created_at, task_id)
  select new.project_id, label, new.created_at, new.id from (
  select 'key:' || new.api_key_id as label where new.api_key_id is not null
  union all select 'user:' || (new.request ->> '$.user') where new.request ->> '$.user' is not null
  union all select 'metadata:' || key || '=' || value from json_each(new.request, '$.metadata'));
  insert or ignore into task_inputs (asset_id, task_id)
  select asset, new.id from (
    select value ->> '$.assetId' as asset from json_each(new.request, '$.images')
    union all select new.request ->> '$.mask.assetId'
    union all select new.request ->> '$.markup.assetId'
  ) where asset is not null;
  insert into task_class_changes (task_id) values (new.id);
END;
--> statement-breakpoint
INSERT OR IGNORE INTO task_inputs (asset_id, task_id)
SELECT request ->> '$.markup.assetId', id FROM tasks WHERE deleted_at is null and request ->> '$.markup.assetId' is not null;
