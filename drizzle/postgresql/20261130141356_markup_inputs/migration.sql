-- Markup was missing from the inputs of a task.
CREATE OR REPLACE FUNCTION tasks_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  insert into task_labels (project_id, label, created_at, task_id)
  select new.project_id, label, new.created_at, new.id from (
  select 'key:' || new.api_key_id as label where new.api_key_id is not null
  union all select 'user:' || (new.request ->> 'user') where new.request ->> 'user' is not null
  union all select 'metadata:' || key || '=' || value from jsonb_each_text(new.request -> 'metadata')
  ) as labels;
  if new.operation = 'EDIT' then
    insert into task_inputs (asset_id, task_id)
    select asset, new.id from (
    select value ->> 'assetId' as asset from jsonb_array_elements(new.request -> 'images')
    union select new.request -> 'mask' ->> 'assetId'
    union select new.request -> 'markup' ->> 'assetId'
  ) as inputs where asset is not null;
  end if;
  perform classify_task(new.id);
  return null;
END $$;
--> statement-breakpoint
INSERT INTO task_inputs (asset_id, task_id)
SELECT request -> 'markup' ->> 'assetId', id FROM tasks WHERE deleted_at is null and request -> 'markup' ->> 'assetId' is not null
ON CONFLICT DO NOTHING;
