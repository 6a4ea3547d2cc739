-- For how long a person still holds the breaker closed, whatever fails. 0: not.

ALTER TABLE breaker ADD COLUMN held_left_ms INTEGER NOT NULL DEFAULT 0
    CHECK (held_left_ms = 0 OR (state = 0 AND held_left_ms BETWEEN 1 AND 86400000));
