CREATE TABLE `deleted_images` (
	`id` text PRIMARY KEY,
	`project_id` text NOT NULL,
	`task_id` text NOT NULL,
	`attempt_id` text,
	`kind` text NOT NULL,
	`position` integer NOT NULL,
	`deleted_at` integer NOT NULL,
	CONSTRAINT `fk_deleted_images_task_id_tasks_id_fk` FOREIGN KEY (`task_id`) REFERENCES `tasks`(`id`),
	CONSTRAINT "deleted_images_kind" CHECK("kind" in ('FINAL', 'PARTIAL', 'INPUT', 'MASK'))
);
--> statement-breakpoint
ALTER TABLE `tasks` ADD `changes` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `tasks` ADD `deleted_at` integer;--> statement-breakpoint
CREATE INDEX `deleted_images_of_task` ON `deleted_images` (`task_id`);
--> statement-breakpoint
-- drizzle-kit does not see changes of an index.
DROP INDEX `tasks_newest`;--> statement-breakpoint
CREATE INDEX `tasks_newest` ON `tasks` (`project_id`,`created_at`,`id`,`deleted_at`) WHERE "tasks"."deleted_at" is null;--> statement-breakpoint
DROP INDEX `tasks_by_status`;--> statement-breakpoint
CREATE INDEX `tasks_by_status` ON `tasks` (`project_id`,`status`,`created_at`,`id`,`deleted_at`) WHERE "tasks"."deleted_at" is null;--> statement-breakpoint
DROP INDEX `tasks_by_model`;--> statement-breakpoint
CREATE INDEX `tasks_by_model` ON `tasks` (`project_id`,`model`,`status`,`created_at`,`id`,`deleted_at`) WHERE "tasks"."deleted_at" is null;--> statement-breakpoint
DROP INDEX `tasks_by_end`;--> statement-breakpoint
CREATE INDEX `tasks_by_end` ON `tasks` (`project_id`,`status`,`finished_at`,`id`,`deleted_at`) WHERE "tasks"."finished_at" is not null and "tasks"."deleted_at" is null;--> statement-breakpoint
-- Deleted words leave the index at once, not only when its segments are merged.
INSERT INTO task_words_index (task_words_index, rank) VALUES ('secure-delete', 1);--> statement-breakpoint
-- A late outcome labels no deleted task.
DROP TRIGGER `attempts_charged`;--> statement-breakpoint
CREATE TRIGGER `attempts_charged` AFTER UPDATE OF `charged` ON `attempts` WHEN old.charged <> new.charged BEGIN
  delete from task_labels where (project_id, created_at, task_id) = (select project_id, created_at, id from tasks where id = new.task_id)
  and label in ('charged:NO', 'charged:UNKNOWN', 'charged:YES');
  insert into task_labels (project_id, label, created_at, task_id)
  select t.project_id, (select 'charged:' || case max(case charged when 'YES' then 2 when 'UNKNOWN' then 1 else 0 end) when 2 then 'YES' when 1 then 'UNKNOWN' else 'NO' end from attempts where task_id = t.id), t.created_at, t.id from tasks t where t.id = new.task_id and t.deleted_at is null;
END;
