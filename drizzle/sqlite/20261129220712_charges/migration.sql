ALTER TABLE `attempts` ADD `estimated_micros` integer;--> statement-breakpoint
ALTER TABLE `attempts` ADD `charge_policy` text;--> statement-breakpoint
ALTER TABLE `attempts` ADD `billed_without_permit` integer DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE `ledger` ADD `source` text;--> statement-breakpoint
ALTER TABLE `usage_days` ADD `estimated_costs` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `usage_days` ADD `estimated_micros` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `usage_quarter_hours` ADD `estimated_costs` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `usage_quarter_hours` ADD `estimated_micros` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
CREATE INDEX `attempts_estimated` ON `attempts` (`project_id`,`finished_at`,`id`) WHERE "attempts"."estimated_micros" is not null;--> statement-breakpoint
DROP INDEX `attempts_unpriced`;--> statement-breakpoint
CREATE INDEX `attempts_unpriced` ON `attempts` (`project_id`,`finished_at`,`id`) WHERE "attempts"."finished_at" is not null and "attempts"."cost_micros" is null and "attempts"."estimated_micros" is null and "attempts"."charged" <> 'NO';