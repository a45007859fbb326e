CREATE TABLE "task_inputs" (
	"asset_id" text,
	"task_id" text,
	CONSTRAINT "task_inputs_pkey" PRIMARY KEY("asset_id","task_id")
);
--> statement-breakpoint
CREATE TABLE "task_labels" (
	"project_id" text,
	"label" text,
	"created_at" bigint,
	"task_id" text,
	CONSTRAINT "task_labels_pkey" PRIMARY KEY("project_id","label","created_at","task_id")
);
--> statement-breakpoint
CREATE TABLE "task_words" (
	"seq" bigint PRIMARY KEY,
	"task_id" text NOT NULL,
	"words" tsvector NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tasks_without_words" (
	"task_id" text PRIMARY KEY
);
--> statement-breakpoint
CREATE INDEX "attempts_sent" ON "attempts" ("provider","sent_at") WHERE "sent_at" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "task_words_task" ON "task_words" ("task_id");--> statement-breakpoint
CREATE INDEX "task_words_gin" ON "task_words" USING gin ("words");--> statement-breakpoint
CREATE INDEX "tasks_by_end" ON "tasks" ("project_id","status","finished_at","id") WHERE "finished_at" is not null;--> statement-breakpoint
ALTER TABLE "task_inputs" ADD CONSTRAINT "task_inputs_task_id_tasks_id_fkey" FOREIGN KEY ("task_id") REFERENCES "tasks"("id");--> statement-breakpoint
ALTER TABLE "task_words" ADD CONSTRAINT "task_words_task_id_tasks_id_fkey" FOREIGN KEY ("task_id") REFERENCES "tasks"("id");
--> statement-breakpoint
CREATE FUNCTION tasks_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  insert into task_labels (project_id, label, created_at, task_id)
  select new.project_id, label, new.created_at, new.id from (
  select 'operation:' || new.operation as label
  union all select 'key:' || new.api_key_id where new.api_key_id is not null
  union all select 'user:' || (new.request ->> 'user') where new.request ->> 'user' is not null
  union all select 'metadata:' || key || '=' || value from jsonb_each_text(new.request -> 'metadata')
  union all select 'warnings:' || (new.warnings <> '[]')::int
  ) as labels;
  if new.operation = 'EDIT' then
    insert into task_inputs (asset_id, task_id)
    select asset, new.id from (
    select value ->> 'assetId' as asset from jsonb_array_elements(new.request -> 'images')
    union select new.request -> 'mask' ->> 'assetId'
  ) as inputs where asset is not null;
  end if;
  return null;
END $$;
--> statement-breakpoint
CREATE TRIGGER tasks_insert AFTER INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION tasks_insert();
--> statement-breakpoint
CREATE FUNCTION tasks_warnings() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  update task_labels set label = 'warnings:' || (new.warnings <> '[]')::int
  where project_id = new.project_id and label = 'warnings:' || (old.warnings <> '[]')::int
    and created_at = new.created_at and task_id = new.id;
  return null;
END $$;
--> statement-breakpoint
CREATE TRIGGER tasks_warnings AFTER UPDATE OF warnings ON tasks FOR EACH ROW
WHEN ((old.warnings = '[]') <> (new.warnings = '[]')) EXECUTE FUNCTION tasks_warnings();
--> statement-breakpoint
CREATE FUNCTION attempts_labels() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  task record;
  charge text;
BEGIN
  select 'charged:' || case max(case charged when 'YES' then 2 when 'UNKNOWN' then 1 else 0 end) when 2 then 'YES' when 1 then 'UNKNOWN' else 'NO' end into charge from attempts where task_id = new.task_id;
  select project_id, created_at into task from tasks where id = new.task_id;
  if tg_op = 'INSERT' then
    insert into task_labels (project_id, label, created_at, task_id)
    values (task.project_id, 'provider:' || new.provider, task.created_at, new.task_id) on conflict do nothing;
  end if;
  delete from task_labels where project_id = task.project_id and created_at = task.created_at and task_id = new.task_id
    and label in ('charged:NO', 'charged:UNKNOWN', 'charged:YES') and label <> charge;
  insert into task_labels (project_id, label, created_at, task_id)
  values (task.project_id, charge, task.created_at, new.task_id) on conflict do nothing;
  return null;
END $$;
--> statement-breakpoint
CREATE TRIGGER attempts_insert AFTER INSERT ON attempts FOR EACH ROW EXECUTE FUNCTION attempts_labels();
--> statement-breakpoint
CREATE TRIGGER attempts_charged AFTER UPDATE OF charged ON attempts FOR EACH ROW
WHEN (old.charged <> new.charged) EXECUTE FUNCTION attempts_labels();
--> statement-breakpoint
insert into task_labels (project_id, label, created_at, task_id)
select project_id, label, created_at, id from tasks, lateral (
  select 'operation:' || tasks.operation as label
  union all select 'key:' || tasks.api_key_id where tasks.api_key_id is not null
  union all select 'user:' || (tasks.request ->> 'user') where tasks.request ->> 'user' is not null
  union all select 'metadata:' || key || '=' || value from jsonb_each_text(tasks.request -> 'metadata')
  union all select 'warnings:' || (tasks.warnings <> '[]')::int
) as labels
union all select distinct t.project_id, 'provider:' || a.provider, t.created_at, t.id from attempts a join tasks t on t.id = a.task_id
union all select t.project_id, 'charged:' || case max(case charged when 'YES' then 2 when 'UNKNOWN' then 1 else 0 end) when 2 then 'YES' when 1 then 'UNKNOWN' else 'NO' end, t.created_at, t.id from attempts a join tasks t on t.id = a.task_id group by t.id;
--> statement-breakpoint
insert into task_inputs (asset_id, task_id)
select asset, id from tasks, lateral (
  select value ->> 'assetId' as asset from jsonb_array_elements(tasks.request -> 'images')
  union select tasks.request -> 'mask' ->> 'assetId'
) as inputs where asset is not null;
--> statement-breakpoint
insert into tasks_without_words (task_id) select id from tasks;
