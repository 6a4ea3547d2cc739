-- When a webhook sends again what was not taken, as whoever delivers it has planned: for those who look on.

ALTER TABLE webhook ADD COLUMN next_try_ms INTEGER NOT NULL DEFAULT 0; -- 0: nothing waits to be sent again
