-- What a breaker that opens for longer each time, and one that goes by a rate, must not forget.

ALTER TABLE breaker ADD COLUMN openings INTEGER NOT NULL DEFAULT 0 CHECK (openings >= 0);
-- The slices of the rate's window, the oldest first: age in milliseconds, calls, failures; 4 bytes big-endian each.
ALTER TABLE breaker ADD COLUMN slices BLOB NOT NULL DEFAULT x'' CHECK (length(slices) % 12 = 0 AND length(slices) <= 192);
