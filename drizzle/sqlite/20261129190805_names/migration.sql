ALTER TABLE `provider_rests` RENAME TO `provider_cooldowns`;--> statement-breakpoint
ALTER TABLE `usage_quarters` RENAME TO `usage_quarter_hours`;--> statement-breakpoint
ALTER TABLE `attempts` RENAME COLUMN `missing` TO `missing_checks`;--> statement-breakpoint
ALTER TABLE `webhook_deliveries` RENAME COLUMN `lane` TO `slot`;--> statement-breakpoint
DROP INDEX IF EXISTS `attempts_turns`;--> statement-breakpoint
DROP INDEX IF EXISTS `attempts_in_doubt`;--> statement-breakpoint
DROP INDEX IF EXISTS `webhook_deliveries_lanes`;--> statement-breakpoint
CREATE INDEX `attempts_due_by_project` ON `attempts` (`provider`,`project_id`,`run_after`,`id`) WHERE "attempts"."state" in ('PLANNED', 'ACCEPTED');--> statement-breakpoint
CREATE INDEX `attempts_unknown` ON `attempts` (`project_id`,`sent_at`,`id`) WHERE "attempts"."state" = 'UNKNOWN';--> statement-breakpoint
CREATE INDEX `webhook_deliveries_slots` ON `webhook_deliveries` (`slot`,`next_at`,`id`,`lease_until`) WHERE "webhook_deliveries"."state" = 'PENDING';