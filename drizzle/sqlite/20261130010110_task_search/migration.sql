CREATE TABLE `task_inputs` (
	`asset_id` text NOT NULL,
	`task_id` text NOT NULL,
	CONSTRAINT `task_inputs_pk` PRIMARY KEY(`asset_id`, `task_id`),
	CONSTRAINT `fk_task_inputs_task_id_tasks_id_fk` FOREIGN KEY (`task_id`) REFERENCES `tasks`(`id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `task_labels` (
	`project_id` text NOT NULL,
	`label` text NOT NULL,
	`created_at` integer NOT NULL,
	`task_id` text NOT NULL,
	CONSTRAINT `task_labels_pk` PRIMARY KEY(`project_id`, `label`, `created_at`, `task_id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `task_words` (
	`seq` integer PRIMARY KEY,
	`task_id` text NOT NULL,
	`words` text NOT NULL,
	CONSTRAINT `fk_task_words_task_id_tasks_id_fk` FOREIGN KEY (`task_id`) REFERENCES `tasks`(`id`)
);
--> statement-breakpoint
CREATE TABLE `tasks_without_words` (
	`task_id` text PRIMARY KEY
);
--> statement-breakpoint
CREATE INDEX `attempts_sent` ON `attempts` (`provider`,`sent_at`) WHERE "attempts"."sent_at" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX `task_words_task` ON `task_words` (`task_id`);--> statement-breakpoint
CREATE INDEX `tasks_by_end` ON `tasks` (`project_id`,`status`,`finished_at`,`id`) WHERE "tasks"."finished_at" is not null;
--> statement-breakpoint
CREATE VIRTUAL TABLE `task_words_index` USING fts5(words, content='task_words', content_rowid='seq', detail='none', columnsize=0, prefix='3 4 5 6', tokenize="ascii tokenchars '_'");
--> statement-breakpoint
CREATE TRIGGER `task_words_insert` AFTER INSERT ON `task_words` BEGIN
  insert into task_words_index (rowid, words) values (new.seq, new.words);
END;
--> statement-breakpoint
CREATE TRIGGER `task_words_delete` AFTER DELETE ON `task_words` BEGIN
  insert into task_words_index (task_words_index, rowid, words) values ('delete', old.seq, old.words);
END;
--> statement-breakpoint
CREATE TRIGGER `tasks_insert` AFTER INSERT ON `tasks` BEGIN
  insert into task_labels (project_id, label, created_at, task_id)
  select new.project_id, label, new.created_at, new.id from (select 'operation:' || new.operation as label
  union all select 'key:' || new.api_key_id where new.api_key_id is not null
  union all select 'user:' || (new.request ->> '$.user') where new.request ->> '$.user' is not null
  union all select 'metadata:' || key || '=' || value from json_each(new.request, '$.metadata')
  union all select 'warnings:' || (new.warnings <> '[]'));
  insert or ignore into task_inputs (asset_id, task_id)
  select asset, new.id from (
    select value ->> '$.assetId' as asset from json_each(new.request, '$.images')
    union all select new.request ->> '$.mask.assetId'
  ) where asset is not null;
END;
--> statement-breakpoint
CREATE TRIGGER `tasks_warnings` AFTER UPDATE OF `warnings` ON `tasks` WHEN (old.warnings = '[]') <> (new.warnings = '[]') BEGIN
  update task_labels set label = 'warnings:' || (new.warnings <> '[]')
  where project_id = new.project_id and label = 'warnings:' || (old.warnings <> '[]')
    and created_at = new.created_at and task_id = new.id;
END;
--> statement-breakpoint
CREATE TRIGGER `attempts_insert` AFTER INSERT ON `attempts` BEGIN
  insert or ignore into task_labels (project_id, label, created_at, task_id)
  select project_id, 'provider:' || new.provider, created_at, id from tasks where id = new.task_id;
  delete from task_labels where (project_id, created_at, task_id) = (select project_id, created_at, id from tasks where id = new.task_id)
  and label in ('charged:NO', 'charged:UNKNOWN', 'charged:YES');
  insert into task_labels (project_id, label, created_at, task_id)
  select t.project_id, (select 'charged:' || case max(case charged when 'YES' then 2 when 'UNKNOWN' then 1 else 0 end) when 2 then 'YES' when 1 then 'UNKNOWN' else 'NO' end from attempts where task_id = t.id), t.created_at, t.id from tasks t where t.id = new.task_id;
END;
--> statement-breakpoint
CREATE TRIGGER `attempts_charged` AFTER UPDATE OF `charged` ON `attempts` WHEN old.charged <> new.charged BEGIN
  delete from task_labels where (project_id, created_at, task_id) = (select project_id, created_at, id from tasks where id = new.task_id)
  and label in ('charged:NO', 'charged:UNKNOWN', 'charged:YES');
  insert into task_labels (project_id, label, created_at, task_id)
  select t.project_id, (select 'charged:' || case max(case charged when 'YES' then 2 when 'UNKNOWN' then 1 else 0 end) when 2 then 'YES' when 1 then 'UNKNOWN' else 'NO' end from attempts where task_id = t.id), t.created_at, t.id from tasks t where t.id = new.task_id;
END;
--> statement-breakpoint
insert into task_labels (project_id, label, created_at, task_id)
select project_id, 'operation:' || operation, created_at, id from tasks
union all select project_id, 'key:' || api_key_id, created_at, id from tasks where api_key_id is not null
union all select project_id, 'user:' || (request ->> '$.user'), created_at, id from tasks where request ->> '$.user' is not null
union all select project_id, 'metadata:' || key || '=' || value, created_at, tasks.id from tasks, json_each(tasks.request, '$.metadata')
union all select project_id, 'warnings:' || (warnings <> '[]'), created_at, id from tasks
union all select distinct t.project_id, 'provider:' || a.provider, t.created_at, t.id from attempts a join tasks t on t.id = a.task_id
union all select t.project_id, 'charged:' || case max(case charged when 'YES' then 2 when 'UNKNOWN' then 1 else 0 end) when 2 then 'YES' when 1 then 'UNKNOWN' else 'NO' end, t.created_at, t.id from attempts a join tasks t on t.id = a.task_id group by t.id
order by 1, 2, 3, 4;
--> statement-breakpoint
insert or ignore into task_inputs (asset_id, task_id)
select value ->> '$.assetId', tasks.id from tasks, json_each(tasks.request, '$.images') where value ->> '$.assetId' is not null
union all select request ->> '$.mask.assetId', id from tasks where request ->> '$.mask.assetId' is not null;
--> statement-breakpoint
insert into tasks_without_words (task_id) select id from tasks;
