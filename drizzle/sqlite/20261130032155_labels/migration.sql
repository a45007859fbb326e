ALTER TABLE `tasks` ADD `favorite` integer DEFAULT false NOT NULL;--> statement-breakpoint
CREATE TRIGGER `tasks_favorite` AFTER UPDATE OF `favorite` ON `tasks` WHEN old.favorite <> new.favorite BEGIN
  delete from task_labels
  where project_id = new.project_id and label = 'favorite:1' and created_at = new.created_at and task_id = new.id;
  insert into task_labels (project_id, label, created_at, task_id)
  select new.project_id, 'favorite:1', new.created_at, new.id where new.favorite;
END;
--> statement-breakpoint
CREATE TRIGGER `tasks_metadata` AFTER UPDATE OF `request` ON `tasks` WHEN old.request ->> '$.metadata' <> new.request ->> '$.metadata' BEGIN
  delete from task_labels
  where project_id = new.project_id and created_at = new.created_at and task_id = new.id
    and label in (select 'metadata:' || key || '=' || value from json_each(old.request, '$.metadata'));
  insert into task_labels (project_id, label, created_at, task_id)
  select new.project_id, 'metadata:' || key || '=' || value, new.created_at, new.id from json_each(new.request, '$.metadata');
END;
