-- Somebody else's transactions at nonces of ours (purpose 4): counted whenever somebody looks.
CREATE INDEX attempt_foreign ON attempt (treasury, id) WHERE purpose = 4;
