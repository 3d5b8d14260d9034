"""An action item: the rules."""
