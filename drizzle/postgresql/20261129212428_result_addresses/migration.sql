CREATE TABLE "result_addresses" (
	"attempt_id" text,
	"position" integer,
	"url" text NOT NULL,
	"revised_prompt" text,
	"received_at" bigint NOT NULL,
	"tries" integer DEFAULT 0 NOT NULL,
	"problem" text,
	CONSTRAINT "result_addresses_pkey" PRIMARY KEY("attempt_id","position")
);
--> statement-breakpoint
CREATE INDEX "attempts_fetching" ON "attempts" ("provider","project_id","run_after","id") WHERE "state" = 'FETCHING';--> statement-breakpoint
ALTER TABLE "result_addresses" ADD CONSTRAINT "result_addresses_attempt_id_attempts_id_fkey" FOREIGN KEY ("attempt_id") REFERENCES "attempts"("id");--> statement-breakpoint
ALTER TABLE "attempts" DROP CONSTRAINT "attempts_state", ADD CONSTRAINT "attempts_state" CHECK ("state" in ('PLANNED', 'LEASED', 'SENDING', 'ACCEPTED', 'FETCHING', 'UNKNOWN', 'SUCCEEDED', 'REJECTED', 'NOT_SENT', 'FAILED', 'CANCELED'));--> statement-breakpoint
ALTER TABLE "attempts" DROP CONSTRAINT "attempts_paid", ADD CONSTRAINT "attempts_paid" CHECK ("state" not in ('SUCCEEDED', 'FETCHING') or "charged" = 'YES');