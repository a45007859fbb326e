CREATE TABLE `result_addresses` (
	`attempt_id` text NOT NULL,
	`position` integer NOT NULL,
	`url` text NOT NULL,
	`revised_prompt` text,
	`received_at` integer NOT NULL,
	`tries` integer DEFAULT 0 NOT NULL,
	`problem` text,
	CONSTRAINT `result_addresses_pk` PRIMARY KEY(`attempt_id`, `position`),
	CONSTRAINT `fk_result_addresses_attempt_id_attempts_id_fk` FOREIGN KEY (`attempt_id`) REFERENCES `attempts`(`id`)
);
--> statement-breakpoint
CREATE INDEX `attempts_fetching` ON `attempts` (`provider`,`project_id`,`run_after`,`id`) WHERE "attempts"."state" = 'FETCHING';--> statement-breakpoint
-- Not drizzle-kit's copy of the table: references to it stay, and no row is rewritten.
ALTER TABLE `attempts` DROP CONSTRAINT "attempts_state";--> statement-breakpoint
ALTER TABLE `attempts` ADD CONSTRAINT "attempts_state" CHECK("state" in ('PLANNED', 'LEASED', 'SENDING', 'ACCEPTED', 'FETCHING', 'UNKNOWN', 'SUCCEEDED', 'REJECTED', 'NOT_SENT', 'FAILED', 'CANCELED'));--> statement-breakpoint
ALTER TABLE `attempts` DROP CONSTRAINT "attempts_paid";--> statement-breakpoint
ALTER TABLE `attempts` ADD CONSTRAINT "attempts_paid" CHECK("state" not in ('SUCCEEDED', 'FETCHING') or "charged" = 'YES');