CREATE TABLE "rest_calls" (
	"id" text PRIMARY KEY,
	"project_id" text NOT NULL,
	"caller" text NOT NULL,
	"fingerprint" text NOT NULL,
	"task_id" text NOT NULL,
	"state" text NOT NULL,
	"instance" text NOT NULL,
	"opened_at" bigint NOT NULL,
	"closed_at" bigint NOT NULL,
	CONSTRAINT "rest_calls_state" CHECK ("state" in ('OPEN', 'DELIVERED', 'UNDELIVERED', 'TOLD_UNKNOWN', 'ATTACHED'))
);
--> statement-breakpoint
CREATE INDEX "rest_calls_of_caller" ON "rest_calls" ("project_id","caller","fingerprint","closed_at");--> statement-breakpoint
CREATE INDEX "rest_calls_open" ON "rest_calls" ("instance") WHERE "state" = 'OPEN';--> statement-breakpoint
CREATE INDEX "rest_calls_closed" ON "rest_calls" ("closed_at");