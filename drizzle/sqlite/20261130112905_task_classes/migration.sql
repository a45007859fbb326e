CREATE TABLE `task_classes` (
	`id` integer PRIMARY KEY,
	`project_id` text NOT NULL,
	`status` text NOT NULL,
	`operation` text NOT NULL,
	`model` text NOT NULL,
	`providers` text NOT NULL,
	`charged` text NOT NULL,
	`has_warnings` integer NOT NULL,
	`favorite` integer NOT NULL,
	`is_long` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `class_tasks` (
	`task_id` text PRIMARY KEY,
	`class_id` integer NOT NULL,
	`created_at` integer NOT NULL,
	`finished_at` integer
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `task_classes_values` ON `task_classes` (`project_id`,`status`,`operation`,`model`,`providers`,`charged`,`has_warnings`,`favorite`,`is_long`);
--> statement-breakpoint
CREATE VIEW `task_class_values` AS SELECT t.id AS task_id, t.project_id, t.status, t.operation, t.model,
  (select json_group_array(provider) from (select distinct provider from attempts where task_id = t.id order by provider)) AS providers,
  (select case max(case charged when 'YES' then 3 when 'UNKNOWN' then 2 else 1 end) when 3 then 'YES' when 2 then 'UNKNOWN' when 1 then 'NO' else '' end from attempts where task_id = t.id) AS charged,
  t.warnings <> '[]' AS has_warnings, t.favorite, coalesce(t.finished_at - t.created_at not between 0 and 3600000, 0) AS is_long,
  t.created_at, t.finished_at
FROM tasks t WHERE t.deleted_at is null;
--> statement-breakpoint
INSERT INTO task_classes (project_id, status, operation, model, providers, charged, has_warnings, favorite, is_long)
SELECT DISTINCT project_id, status, operation, model, providers, charged, has_warnings, favorite, is_long FROM task_class_values;
--> statement-breakpoint
INSERT INTO class_tasks (task_id, class_id, created_at, finished_at)
SELECT v.task_id, c.id, v.created_at, v.finished_at FROM task_class_values v CROSS JOIN task_classes c
WHERE c.project_id = v.project_id and c.status = v.status and c.operation = v.operation and c.model = v.model and c.providers = v.providers and c.charged = v.charged and c.has_warnings = v.has_warnings and c.favorite = v.favorite and c.is_long = v.is_long ORDER BY 1;
--> statement-breakpoint
CREATE INDEX `class_tasks_newest` ON `class_tasks` (`class_id`,`created_at`,`task_id`);
--> statement-breakpoint
CREATE INDEX `class_tasks_by_end` ON `class_tasks` (`class_id`,`finished_at`,`task_id`,`created_at`) WHERE "class_tasks"."finished_at" is not null;
--> statement-breakpoint
-- Each change of a class is an insert here.
CREATE VIEW `task_class_changes` AS SELECT task_id FROM class_tasks;
--> statement-breakpoint
CREATE TRIGGER `task_class_changes_insert` INSTEAD OF INSERT ON `task_class_changes` BEGIN
  insert into task_classes (project_id, status, operation, model, providers, charged, has_warnings, favorite, is_long)
  select project_id, status, operation, model, providers, charged, has_warnings, favorite, is_long from task_class_values where task_id = new.task_id on conflict do nothing;
  insert into class_tasks (task_id, class_id, created_at, finished_at)
  select v.task_id, c.id, v.created_at, v.finished_at from task_class_values v cross join task_classes c
  where v.task_id = new.task_id and c.project_id = v.project_id and c.status = v.status and c.operation = v.operation and c.model = v.model and c.providers = v.providers and c.charged = v.charged and c.has_warnings = v.has_warnings and c.favorite = v.favorite and c.is_long = v.is_long
  on conflict (task_id) do update set class_id = excluded.class_id, finished_at = excluded.finished_at;
END;
--> statement-breakpoint
DROP TRIGGER `tasks_insert`;
--> statement-breakpoint
DROP TRIGGER `tasks_warnings`;
--> statement-breakpoint
DROP TRIGGER IF EXISTS `tasks_favorite`;
--> statement-breakpoint
DROP TRIGGER `attempts_insert`;
--> statement-breakpoint
DROP TRIGGER `attempts_charged`;
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
  ) where asset is not null;
  insert into task_class_changes (task_id) values (new.id);
END;
--> statement-breakpoint
CREATE TRIGGER `tasks_class` AFTER UPDATE OF `status`, `warnings`, `favorite`, `finished_at` ON `tasks`
WHEN new.deleted_at is null and (old.status <> new.status or (old.warnings = '[]') <> (new.warnings = '[]')
  or old.favorite <> new.favorite or old.finished_at is not new.finished_at) BEGIN
  insert into task_class_changes (task_id) values (new.id);
END;
--> statement-breakpoint
CREATE TRIGGER `tasks_deleted` AFTER UPDATE OF `deleted_at` ON `tasks` WHEN new.deleted_at is not null BEGIN
  delete from class_tasks where task_id = new.id;
END;
--> statement-breakpoint
CREATE TRIGGER `attempts_insert` AFTER INSERT ON `attempts` BEGIN
  insert into task_class_changes (task_id) values (new.task_id);
END;
--> statement-breakpoint
CREATE TRIGGER `attempts_charged` AFTER UPDATE OF `charged` ON `attempts` WHEN old.charged <> new.charged BEGIN
  insert into task_class_changes (task_id) values (new.task_id);
END;
--> statement-breakpoint
DELETE FROM task_labels WHERE label like 'operation:%' or label like 'warnings:%' or label like 'provider:%' or label like 'charged:%' or label like 'favorite:%';
--> statement-breakpoint
DROP INDEX IF EXISTS `tasks_by_model`;
--> statement-breakpoint
-- The images of markup were missing.
ALTER TABLE `deleted_images` DROP CONSTRAINT "deleted_images_kind";
--> statement-breakpoint
ALTER TABLE `deleted_images` ADD CONSTRAINT "deleted_images_kind" CHECK("kind" in ('FINAL', 'PARTIAL', 'INPUT', 'MASK', 'MARKUP'));