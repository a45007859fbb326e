CREATE TABLE "assets" (
	"id" text PRIMARY KEY,
	"project_id" text NOT NULL,
	"task_id" text NOT NULL,
	"attempt_id" text,
	"kind" text NOT NULL,
	"position" integer NOT NULL,
	"sha256" text NOT NULL,
	"byte_size" integer NOT NULL,
	"mime_type" text NOT NULL,
	"width" integer NOT NULL,
	"height" integer NOT NULL,
	"thumbhash" text,
	"revised_prompt" text,
	"created_at" bigint NOT NULL,
	CONSTRAINT "assets_kind" CHECK ("kind" in ('FINAL', 'PARTIAL', 'INPUT', 'MASK')),
	CONSTRAINT "assets_mime_type" CHECK ("mime_type" in ('image/png', 'image/jpeg', 'image/webp'))
);
--> statement-breakpoint
CREATE TABLE "attempts" (
	"id" text PRIMARY KEY,
	"task_id" text NOT NULL,
	"project_id" text NOT NULL,
	"number" integer NOT NULL,
	"part" integer DEFAULT 0 NOT NULL,
	"n" integer DEFAULT 1 NOT NULL,
	"first_image" integer DEFAULT 0 NOT NULL,
	"provider" text NOT NULL,
	"model" text NOT NULL,
	"state" text NOT NULL,
	"charged" text DEFAULT 'NO' NOT NULL,
	"run_after" bigint NOT NULL,
	"lease_owner" text,
	"lease_epoch" integer DEFAULT 0 NOT NULL,
	"lease_until" bigint,
	"remote_id" text,
	"missing" integer DEFAULT 0 NOT NULL,
	"callback_sha256" text,
	"wire_phase" text DEFAULT 'NONE' NOT NULL,
	"http_status" integer,
	"provider_request_id" text,
	"error" jsonb,
	"resolved" jsonb,
	"input_tokens" integer,
	"output_tokens" integer,
	"total_tokens" integer,
	"input_text_tokens" integer,
	"input_image_tokens" integer,
	"output_text_tokens" integer,
	"output_image_tokens" integer,
	"usage_source" text DEFAULT 'UNKNOWN' NOT NULL,
	"cost_micros" bigint,
	"price_version" text,
	"created_at" bigint NOT NULL,
	"sent_at" bigint,
	"finished_at" bigint,
	CONSTRAINT "attempts_state" CHECK ("state" in ('PLANNED', 'LEASED', 'SENDING', 'ACCEPTED', 'UNKNOWN', 'SUCCEEDED', 'REJECTED', 'NOT_SENT', 'FAILED', 'CANCELED')),
	CONSTRAINT "attempts_charged" CHECK ("charged" in ('NO', 'UNKNOWN', 'YES')),
	CONSTRAINT "attempts_wire_phase" CHECK ("wire_phase" in ('NONE', 'INTENT', 'DISPATCHED', 'HEADERS', 'BODY_DONE')),
	CONSTRAINT "attempts_open_charge" CHECK ("state" not in ('SENDING', 'ACCEPTED', 'UNKNOWN') or "charged" = 'UNKNOWN'),
	CONSTRAINT "attempts_no_charge" CHECK ("state" not in ('PLANNED', 'LEASED', 'NOT_SENT', 'REJECTED', 'CANCELED') or "charged" = 'NO'),
	CONSTRAINT "attempts_paid" CHECK ("state" <> 'SUCCEEDED' or "charged" = 'YES'),
	CONSTRAINT "attempts_leased" CHECK ("state" not in ('LEASED', 'SENDING') or ("lease_owner" is not null and "lease_until" is not null)),
	CONSTRAINT "attempts_accepted" CHECK ("state" <> 'ACCEPTED' or "remote_id" is not null),
	CONSTRAINT "attempts_cost" CHECK ("cost_micros" is null or "cost_micros" >= 0)
);
--> statement-breakpoint
CREATE TABLE "audit_log" (
	"id" text PRIMARY KEY,
	"project_id" text NOT NULL,
	"at" bigint NOT NULL,
	"action" text NOT NULL,
	"subject" text NOT NULL,
	"detail" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "callbacks" (
	"attempt_id" text,
	"sha256" text,
	"body" text NOT NULL,
	"received_at" bigint NOT NULL,
	CONSTRAINT "callbacks_pkey" PRIMARY KEY("attempt_id","sha256")
);
--> statement-breakpoint
CREATE TABLE "task_events" (
	"task_id" text,
	"seq" bigint,
	"project_id" text NOT NULL,
	"feed_seq" bigint NOT NULL,
	"body" jsonb NOT NULL,
	"at" bigint NOT NULL,
	CONSTRAINT "task_events_pkey" PRIMARY KEY("task_id","seq")
);
--> statement-breakpoint
CREATE TABLE "projects" (
	"id" text PRIMARY KEY,
	"name" text NOT NULL,
	"feed_seq" bigint DEFAULT 0 NOT NULL,
	"webhook_secret" text,
	"created_at" bigint NOT NULL
);
--> statement-breakpoint
CREATE TABLE "provider_rests" (
	"provider" text,
	"model" text,
	"until" bigint,
	"reason" text NOT NULL,
	"since" bigint NOT NULL,
	CONSTRAINT "provider_rests_pkey" PRIMARY KEY("provider","model")
);
--> statement-breakpoint
CREATE TABLE "tasks" (
	"id" text PRIMARY KEY,
	"project_id" text NOT NULL,
	"status" text NOT NULL,
	"operation" text NOT NULL,
	"model" text NOT NULL,
	"request" jsonb NOT NULL,
	"fingerprint" text NOT NULL,
	"idempotency_key" text,
	"max_charges" integer NOT NULL,
	"parts" integer DEFAULT 1 NOT NULL,
	"charges_open" integer DEFAULT 0 NOT NULL,
	"progress" double precision DEFAULT 0 NOT NULL,
	"warnings" jsonb NOT NULL,
	"error" jsonb,
	"retry_of" text,
	"last_seq" bigint DEFAULT 0 NOT NULL,
	"cancel_requested_at" bigint,
	"created_at" bigint NOT NULL,
	"started_at" bigint,
	"finished_at" bigint,
	CONSTRAINT "tasks_status" CHECK ("status" in ('QUEUED', 'RUNNING', 'OUTCOME_UNKNOWN', 'SUCCEEDED', 'FAILED', 'CANCELED')),
	CONSTRAINT "tasks_max_charges" CHECK ("max_charges" between 1 and 5),
	CONSTRAINT "tasks_charges_open" CHECK ("charges_open" between 0 and "max_charges" * "parts"),
	CONSTRAINT "tasks_finished" CHECK (("finished_at" is not null) = ("status" in ('SUCCEEDED', 'FAILED', 'CANCELED')))
);
--> statement-breakpoint
CREATE TABLE "webhook_deliveries" (
	"id" text PRIMARY KEY,
	"project_id" text NOT NULL,
	"endpoint_id" text,
	"task_id" text NOT NULL,
	"seq" bigint NOT NULL,
	"event" text NOT NULL,
	"url" text NOT NULL,
	"lane" text NOT NULL,
	"payload" text NOT NULL,
	"state" text NOT NULL,
	"tries" integer DEFAULT 0 NOT NULL,
	"step" integer DEFAULT 0 NOT NULL,
	"next_at" bigint NOT NULL,
	"lease_owner" text,
	"lease_epoch" integer DEFAULT 0 NOT NULL,
	"lease_until" bigint,
	"created_at" bigint NOT NULL,
	"finished_at" bigint,
	CONSTRAINT "webhook_deliveries_event" CHECK ("event" in ('TASK_SUCCEEDED', 'TASK_FAILED', 'TASK_CANCELED', 'TASK_OUTCOME_UNKNOWN')),
	CONSTRAINT "webhook_deliveries_state" CHECK ("state" in ('PENDING', 'SUCCEEDED', 'FAILED')),
	CONSTRAINT "webhook_deliveries_finished" CHECK (("finished_at" is null) = ("state" = 'PENDING') and ("state" = 'PENDING' or "lease_owner" is null))
);
--> statement-breakpoint
CREATE TABLE "webhook_endpoints" (
	"id" text PRIMARY KEY,
	"project_id" text NOT NULL,
	"url" text NOT NULL,
	"events" jsonb,
	"description" text,
	"secret" text,
	"created_at" bigint NOT NULL,
	"disabled_at" bigint,
	"deleted_at" bigint,
	CONSTRAINT "webhook_endpoints_secret" CHECK (("secret" is null) = ("deleted_at" is not null))
);
--> statement-breakpoint
CREATE TABLE "webhook_tries" (
	"delivery_id" text,
	"number" integer,
	"at" bigint NOT NULL,
	"duration_ms" integer NOT NULL,
	"http_status" integer,
	"failure" text,
	CONSTRAINT "webhook_tries_pkey" PRIMARY KEY("delivery_id","number"),
	CONSTRAINT "webhook_tries_failure" CHECK ("failure" is null or "failure" in ('REFUSED', 'REDIRECTED', 'GONE', 'TIMED_OUT', 'UNREACHABLE', 'ADDRESS_FORBIDDEN'))
);
--> statement-breakpoint
CREATE UNIQUE INDEX "assets_of_attempt" ON "assets" ("attempt_id","kind","position") WHERE "attempt_id" is not null;--> statement-breakpoint
CREATE INDEX "assets_of_task" ON "assets" ("task_id","kind","position");--> statement-breakpoint
CREATE INDEX "assets_by_hash" ON "assets" ("sha256");--> statement-breakpoint
CREATE UNIQUE INDEX "attempts_number" ON "attempts" ("task_id","number");--> statement-breakpoint
CREATE UNIQUE INDEX "attempts_one_live" ON "attempts" ("task_id","part") WHERE "state" in ('PLANNED', 'LEASED', 'SENDING', 'ACCEPTED');--> statement-breakpoint
CREATE UNIQUE INDEX "attempts_remote" ON "attempts" ("provider","remote_id") WHERE "remote_id" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "attempts_callback" ON "attempts" ("callback_sha256") WHERE "callback_sha256" is not null;--> statement-breakpoint
CREATE INDEX "attempts_due" ON "attempts" ("provider","run_after","id") WHERE "state" in ('PLANNED', 'ACCEPTED');--> statement-breakpoint
CREATE INDEX "attempts_in_doubt" ON "attempts" ("project_id","sent_at","id") WHERE "state" = 'UNKNOWN';--> statement-breakpoint
CREATE INDEX "attempts_leases" ON "attempts" ("lease_until") WHERE "lease_until" is not null;--> statement-breakpoint
CREATE INDEX "audit_log_subject" ON "audit_log" ("subject","at");--> statement-breakpoint
CREATE UNIQUE INDEX "task_events_feed" ON "task_events" ("project_id","feed_seq");--> statement-breakpoint
CREATE UNIQUE INDEX "tasks_idempotency" ON "tasks" ("project_id","idempotency_key") WHERE "idempotency_key" is not null;--> statement-breakpoint
CREATE INDEX "tasks_newest" ON "tasks" ("project_id","created_at","id");--> statement-breakpoint
CREATE INDEX "tasks_by_status" ON "tasks" ("project_id","status","created_at","id");--> statement-breakpoint
CREATE UNIQUE INDEX "webhook_deliveries_once" ON "webhook_deliveries" ("endpoint_id","task_id","seq") WHERE "endpoint_id" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "webhook_deliveries_callback" ON "webhook_deliveries" ("task_id","seq") WHERE "endpoint_id" is null;--> statement-breakpoint
CREATE INDEX "webhook_deliveries_due" ON "webhook_deliveries" ("next_at","lease_until") WHERE "state" = 'PENDING';--> statement-breakpoint
CREATE INDEX "webhook_deliveries_lanes" ON "webhook_deliveries" ("lane","next_at","id","lease_until") WHERE "state" = 'PENDING';--> statement-breakpoint
CREATE INDEX "webhook_deliveries_leases" ON "webhook_deliveries" ("lane","lease_until") WHERE "state" = 'PENDING' and "lease_until" is not null;--> statement-breakpoint
CREATE INDEX "webhook_deliveries_newest" ON "webhook_deliveries" ("project_id","id");--> statement-breakpoint
CREATE INDEX "webhook_deliveries_of_task" ON "webhook_deliveries" ("task_id");--> statement-breakpoint
CREATE INDEX "webhook_endpoints_of_project" ON "webhook_endpoints" ("project_id","id");--> statement-breakpoint
ALTER TABLE "assets" ADD CONSTRAINT "assets_task_id_tasks_id_fkey" FOREIGN KEY ("task_id") REFERENCES "tasks"("id");--> statement-breakpoint
ALTER TABLE "assets" ADD CONSTRAINT "assets_attempt_id_attempts_id_fkey" FOREIGN KEY ("attempt_id") REFERENCES "attempts"("id");--> statement-breakpoint
ALTER TABLE "attempts" ADD CONSTRAINT "attempts_task_id_tasks_id_fkey" FOREIGN KEY ("task_id") REFERENCES "tasks"("id");--> statement-breakpoint
ALTER TABLE "callbacks" ADD CONSTRAINT "callbacks_attempt_id_attempts_id_fkey" FOREIGN KEY ("attempt_id") REFERENCES "attempts"("id");--> statement-breakpoint
ALTER TABLE "task_events" ADD CONSTRAINT "task_events_task_id_tasks_id_fkey" FOREIGN KEY ("task_id") REFERENCES "tasks"("id");--> statement-breakpoint
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_project_id_projects_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects"("id");--> statement-breakpoint
ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_endpoint_id_webhook_endpoints_id_fkey" FOREIGN KEY ("endpoint_id") REFERENCES "webhook_endpoints"("id");--> statement-breakpoint
ALTER TABLE "webhook_deliveries" ADD CONSTRAINT "webhook_deliveries_task_id_tasks_id_fkey" FOREIGN KEY ("task_id") REFERENCES "tasks"("id");--> statement-breakpoint
ALTER TABLE "webhook_endpoints" ADD CONSTRAINT "webhook_endpoints_project_id_projects_id_fkey" FOREIGN KEY ("project_id") REFERENCES "projects"("id");--> statement-breakpoint
ALTER TABLE "webhook_tries" ADD CONSTRAINT "webhook_tries_delivery_id_webhook_deliveries_id_fkey" FOREIGN KEY ("delivery_id") REFERENCES "webhook_deliveries"("id");