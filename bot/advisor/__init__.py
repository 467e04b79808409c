"""From a question to a grounded answer; knows nothing of Slack."""
