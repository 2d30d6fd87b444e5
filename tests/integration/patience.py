"""How long the tests wait: long enough for a machine that does ten other things, since a test that passes waits for its
condition and not for the clock."""

PATIENCE = 120  # seconds until a test gives up what it waits for
STALL = 20      # seconds that no message may wait, whatever happens meanwhile; ratios are measured in tests/bench
