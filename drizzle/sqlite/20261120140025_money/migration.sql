CREATE TABLE `api_keys` (
	`id` text PRIMARY KEY,
	`project_id` text NOT NULL,
	`name` text NOT NULL,
	`handle` text NOT NULL,
	`secret_sha256` text NOT NULL,
	`scopes` text NOT NULL,
	`limits` text,
	`created_at` integer NOT NULL,
	`expires_at` integer,
	`revoked_at` integer,
	`last_used_at` integer,
	CONSTRAINT `fk_api_keys_project_id_projects_id_fk` FOREIGN KEY (`project_id`) REFERENCES `projects`(`id`)
);
--> statement-breakpoint
CREATE TABLE `budgets` (
	`owner` text NOT NULL,
	`period` text NOT NULL,
	`project_id` text NOT NULL,
	`limit_micros` integer NOT NULL,
	`set_at` integer NOT NULL,
	CONSTRAINT `budgets_pk` PRIMARY KEY(`owner`, `period`),
	CONSTRAINT "budgets_period" CHECK("period" in ('DAY', 'MONTH', 'TOTAL')),
	CONSTRAINT "budgets_limit" CHECK("limit_micros" >= 0)
);
--> statement-breakpoint
CREATE TABLE `ledger` (
	`id` text PRIMARY KEY,
	`project_id` text NOT NULL,
	`attempt_id` text NOT NULL,
	`kind` text NOT NULL,
	`amount_micros` integer,
	`at` integer NOT NULL,
	CONSTRAINT `fk_ledger_attempt_id_attempts_id_fk` FOREIGN KEY (`attempt_id`) REFERENCES `attempts`(`id`),
	CONSTRAINT "ledger_kind" CHECK("kind" in ('HOLD', 'POST', 'VOID', 'ADJUST')),
	CONSTRAINT "ledger_amount" CHECK(case "kind" when 'ADJUST' then "amount_micros" is not null when 'POST' then "amount_micros" is not null and "amount_micros" >= 0 else coalesce("amount_micros", 0) >= 0 end)
);
--> statement-breakpoint
CREATE TABLE `spending` (
	`owner` text NOT NULL,
	`period` text NOT NULL,
	`starts_at` integer NOT NULL,
	`held_micros` integer DEFAULT 0 NOT NULL,
	`spent_micros` integer DEFAULT 0 NOT NULL,
	CONSTRAINT `spending_pk` PRIMARY KEY(`owner`, `period`, `starts_at`),
	CONSTRAINT "spending_period" CHECK("period" in ('DAY', 'MONTH', 'TOTAL')),
	CONSTRAINT "spending_held" CHECK("held_micros" >= 0),
	CONSTRAINT "spending_spent" CHECK("spent_micros" >= 0)
);
--> statement-breakpoint
CREATE TABLE `usage_days` (
	`starts_at` integer NOT NULL,
	`provider` text NOT NULL,
	`model` text NOT NULL,
	`api_key_id` text NOT NULL,
	`project_id` text NOT NULL,
	`tasks` integer DEFAULT 0 NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`images` integer DEFAULT 0 NOT NULL,
	`unknown_costs` integer DEFAULT 0 NOT NULL,
	`unknown_usages` integer DEFAULT 0 NOT NULL,
	`held_micros` integer DEFAULT 0 NOT NULL,
	`cost_micros` integer DEFAULT 0 NOT NULL,
	`input_tokens` integer DEFAULT 0 NOT NULL,
	`output_tokens` integer DEFAULT 0 NOT NULL,
	`total_tokens` integer DEFAULT 0 NOT NULL,
	`input_text_tokens` integer DEFAULT 0 NOT NULL,
	`input_image_tokens` integer DEFAULT 0 NOT NULL,
	`output_text_tokens` integer DEFAULT 0 NOT NULL,
	`output_image_tokens` integer DEFAULT 0 NOT NULL,
	CONSTRAINT `usage_days_pk` PRIMARY KEY(`starts_at`, `provider`, `model`, `project_id`, `api_key_id`)
);
--> statement-breakpoint
CREATE TABLE `usage_quarters` (
	`starts_at` integer NOT NULL,
	`provider` text NOT NULL,
	`model` text NOT NULL,
	`api_key_id` text NOT NULL,
	`project_id` text NOT NULL,
	`tasks` integer DEFAULT 0 NOT NULL,
	`attempts` integer DEFAULT 0 NOT NULL,
	`images` integer DEFAULT 0 NOT NULL,
	`unknown_costs` integer DEFAULT 0 NOT NULL,
	`unknown_usages` integer DEFAULT 0 NOT NULL,
	`held_micros` integer DEFAULT 0 NOT NULL,
	`cost_micros` integer DEFAULT 0 NOT NULL,
	`input_tokens` integer DEFAULT 0 NOT NULL,
	`output_tokens` integer DEFAULT 0 NOT NULL,
	`total_tokens` integer DEFAULT 0 NOT NULL,
	`input_text_tokens` integer DEFAULT 0 NOT NULL,
	`input_image_tokens` integer DEFAULT 0 NOT NULL,
	`output_text_tokens` integer DEFAULT 0 NOT NULL,
	`output_image_tokens` integer DEFAULT 0 NOT NULL,
	CONSTRAINT `usage_quarters_pk` PRIMARY KEY(`project_id`, `starts_at`, `provider`, `model`, `api_key_id`)
);
--> statement-breakpoint
ALTER TABLE `attempts` ADD `api_key_id` text;--> statement-breakpoint
ALTER TABLE `attempts` ADD `images` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE `attempts` ADD `held_micros` integer;--> statement-breakpoint
ALTER TABLE `projects` ADD `limits` text;--> statement-breakpoint
ALTER TABLE `tasks` ADD `api_key_id` text;--> statement-breakpoint
CREATE UNIQUE INDEX `api_keys_handle` ON `api_keys` (`handle`);--> statement-breakpoint
CREATE INDEX `api_keys_of_project` ON `api_keys` (`project_id`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `attempts_by_time` ON `attempts` (`project_id`,`created_at`);--> statement-breakpoint
CREATE INDEX `budgets_of_project` ON `budgets` (`project_id`);--> statement-breakpoint
CREATE UNIQUE INDEX `ledger_hold_once` ON `ledger` (`attempt_id`) WHERE "ledger"."kind" = 'HOLD';--> statement-breakpoint
CREATE UNIQUE INDEX `ledger_close_once` ON `ledger` (`attempt_id`) WHERE "ledger"."kind" in ('POST', 'VOID');--> statement-breakpoint
CREATE INDEX `ledger_of_attempt` ON `ledger` (`attempt_id`,`id`);--> statement-breakpoint
-- What was asked before there were books: its lines, and their sums. Nobody held anything for it.
UPDATE `attempts` SET `images` = (SELECT count(*) FROM `assets` WHERE `assets`.`attempt_id` = `attempts`.`id` AND `assets`.`kind` = 'FINAL') WHERE `state` = 'SUCCEEDED';--> statement-breakpoint
INSERT INTO `ledger` (`id`, `project_id`, `attempt_id`, `kind`, `amount_micros`, `at`) SELECT 'led_' || substr(`id`, 5), `project_id`, `id`, 'HOLD', NULL, `created_at` FROM `attempts`;--> statement-breakpoint
INSERT INTO `ledger` (`id`, `project_id`, `attempt_id`, `kind`, `amount_micros`, `at`) SELECT 'led_' || substr(`id`, 5) || '1', `project_id`, `id`, CASE WHEN `cost_micros` IS NULL THEN 'VOID' ELSE 'POST' END, `cost_micros`, coalesce(`finished_at`, `created_at`) FROM `attempts` WHERE `cost_micros` IS NOT NULL OR (`charged` = 'NO' AND `state` IN ('SUCCEEDED', 'REJECTED', 'NOT_SENT', 'FAILED', 'CANCELED'));--> statement-breakpoint
INSERT INTO `spending` (`owner`, `period`, `starts_at`, `spent_micros`) SELECT `project_id`, 'DAY', `created_at` - `created_at` % 86400000, coalesce(sum(`cost_micros`), 0) FROM `attempts` GROUP BY 1, 2, 3;--> statement-breakpoint
INSERT INTO `spending` (`owner`, `period`, `starts_at`, `spent_micros`) SELECT `project_id`, 'MONTH', unixepoch(`created_at` / 1000, 'unixepoch', 'start of month') * 1000, coalesce(sum(`cost_micros`), 0) FROM `attempts` GROUP BY 1, 2, 3;--> statement-breakpoint
INSERT INTO `spending` (`owner`, `period`, `starts_at`, `spent_micros`) SELECT `project_id`, 'TOTAL', 0, coalesce(sum(`cost_micros`), 0) FROM `attempts` GROUP BY 1, 2, 3;--> statement-breakpoint
INSERT INTO `usage_days` (`starts_at`, `provider`, `model`, `api_key_id`, `project_id`, `tasks`, `attempts`, `images`, `unknown_costs`, `unknown_usages`, `cost_micros`, `input_tokens`, `output_tokens`, `total_tokens`, `input_text_tokens`, `input_image_tokens`, `output_text_tokens`, `output_image_tokens`) SELECT `created_at` - `created_at` % 86400000, `provider`, `model`, '', `project_id`, sum(case when `number` = 1 then 1 else 0 end), count(*), sum(`images`), sum(case when `charged` <> 'NO' and `state` in ('SUCCEEDED', 'FAILED', 'UNKNOWN') and `cost_micros` is null then 1 else 0 end), sum(case when `charged` <> 'NO' and `state` in ('SUCCEEDED', 'FAILED', 'UNKNOWN') and `usage_source` = 'UNKNOWN' then 1 else 0 end), coalesce(sum(`cost_micros`), 0), coalesce(sum(`input_tokens`), 0), coalesce(sum(`output_tokens`), 0), coalesce(sum(`total_tokens`), 0), coalesce(sum(`input_text_tokens`), 0), coalesce(sum(`input_image_tokens`), 0), coalesce(sum(`output_text_tokens`), 0), coalesce(sum(`output_image_tokens`), 0) FROM `attempts` GROUP BY 1, 2, 3, 4, 5;--> statement-breakpoint
INSERT INTO `usage_quarters` (`starts_at`, `provider`, `model`, `api_key_id`, `project_id`, `tasks`, `attempts`, `images`, `unknown_costs`, `unknown_usages`, `cost_micros`, `input_tokens`, `output_tokens`, `total_tokens`, `input_text_tokens`, `input_image_tokens`, `output_text_tokens`, `output_image_tokens`) SELECT `created_at` - `created_at` % 900000, `provider`, `model`, '', `project_id`, sum(case when `number` = 1 then 1 else 0 end), count(*), sum(`images`), sum(case when `charged` <> 'NO' and `state` in ('SUCCEEDED', 'FAILED', 'UNKNOWN') and `cost_micros` is null then 1 else 0 end), sum(case when `charged` <> 'NO' and `state` in ('SUCCEEDED', 'FAILED', 'UNKNOWN') and `usage_source` = 'UNKNOWN' then 1 else 0 end), coalesce(sum(`cost_micros`), 0), coalesce(sum(`input_tokens`), 0), coalesce(sum(`output_tokens`), 0), coalesce(sum(`total_tokens`), 0), coalesce(sum(`input_text_tokens`), 0), coalesce(sum(`input_image_tokens`), 0), coalesce(sum(`output_text_tokens`), 0), coalesce(sum(`output_image_tokens`), 0) FROM `attempts` GROUP BY 1, 2, 3, 4, 5;
