"""Summaries and contradictions found without a model that writes: sentences, quantities, and what is said of both."""

from infra.extractive.discrepancies import Contradiction, contradictions
from infra.extractive.quantities import Quantity, quantities
from infra.extractive.sentences import Sentence, sentences_of_text, sentences_of_transcript
from infra.extractive.summary import pick

__all__ = [
    "Contradiction",
    "Quantity",
    "Sentence",
    "contradictions",
    "pick",
    "quantities",
    "sentences_of_text",
    "sentences_of_transcript",
]
