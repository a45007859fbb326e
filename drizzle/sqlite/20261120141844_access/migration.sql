CREATE TABLE `secrets` (
	`name` text PRIMARY KEY,
	`value` text NOT NULL
);
