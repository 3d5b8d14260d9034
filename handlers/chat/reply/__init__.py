"""The words of a reply that was made from sources: the rules, and what takes them away."""
