"""The Rackside application: questions in, grounded answers out, in Slack and in the terminal."""
