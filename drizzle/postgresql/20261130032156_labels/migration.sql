ALTER TABLE "tasks" ADD COLUMN "favorite" boolean DEFAULT false NOT NULL;--> statement-breakpoint
CREATE FUNCTION tasks_favorite() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  delete from task_labels
  where project_id = new.project_id and label = 'favorite:1' and created_at = new.created_at and task_id = new.id;
  if new.favorite then
    insert into task_labels (project_id, label, created_at, task_id)
    values (new.project_id, 'favorite:1', new.created_at, new.id);
  end if;
  return null;
END $$;
--> statement-breakpoint
CREATE TRIGGER tasks_favorite AFTER UPDATE OF favorite ON tasks FOR EACH ROW
WHEN (old.favorite <> new.favorite) EXECUTE FUNCTION tasks_favorite();
--> statement-breakpoint
CREATE FUNCTION tasks_metadata() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  delete from task_labels
  where project_id = new.project_id and created_at = new.created_at and task_id = new.id
    and label in (select 'metadata:' || key || '=' || value from jsonb_each_text(old.request -> 'metadata'));
  insert into task_labels (project_id, label, created_at, task_id)
  select new.project_id, 'metadata:' || key || '=' || value, new.created_at, new.id
  from jsonb_each_text(new.request -> 'metadata');
  return null;
END $$;
--> statement-breakpoint
CREATE TRIGGER tasks_metadata AFTER UPDATE OF request ON tasks FOR EACH ROW
WHEN (old.request -> 'metadata' <> new.request -> 'metadata') EXECUTE FUNCTION tasks_metadata();
