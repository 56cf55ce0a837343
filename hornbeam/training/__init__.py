"""The one training loop and what feeds it: data sources, compile settings, progress."""
