-- Not drizzle-kit's copy of the table: references to it stay, and no row is rewritten.
ALTER TABLE `webhook_deliveries` ALTER COLUMN `task_id` DROP NOT NULL;--> statement-breakpoint
ALTER TABLE `webhook_deliveries` DROP CONSTRAINT "webhook_deliveries_event";--> statement-breakpoint
ALTER TABLE `webhook_deliveries` ADD CONSTRAINT "webhook_deliveries_event" CHECK("event" in ('TASK_SUCCEEDED', 'TASK_FAILED', 'TASK_CANCELED', 'TASK_OUTCOME_UNKNOWN', 'WEBHOOK_TEST'));
