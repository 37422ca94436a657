"""The HTTP client and what wraps it: retry, rate limit, logging. Knows no alarm."""
