"""The network and the transition system: tokens in, spans of entities out.

Architectures MultiHashEmbed.v2, MaxoutWindowEncoder.v2 and TransitionBasedParser.v2 of spaCy's documentation. The
system tags tokens from left to right (Begin, In, Last, Unit, Out), each choice the best one that is allowed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cp_whisperx.engines.protocols import Entity
from cp_whisperx.engines.spacy_ner import hashing, messagepack
from cp_whisperx.engines.spacy_ner.tokenizer import Token, Tokenizer
from cp_whisperx.errors import EngineError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]

FILES = ("ner_model", "ner_moves", "tokenizer", "lookups")
_EDGE = 4
"""Rows of zeros that spaCy puts around each text: as many as there are convolutions."""
_LONG_SHAPE = 100
_BEGIN, _IN, _LAST, _UNIT, _OUT = "12345"
"""The kinds of moves, by their keys in the model's `moves`."""


@dataclass(frozen=True, slots=True)
class _Move:
    kind: str
    label: str


class SpacyNames:
    """The NameFinder of a spaCy model whose files (FILES) lie in one folder."""

    version = "spacy 3 model in numpy"

    def __init__(self, folder: Path) -> None:
        """Raises EngineError for files that are no such model."""
        read = {name: messagepack.unpack((folder / name).read_bytes()) for name in FILES}
        try:
            self._tokenizer = Tokenizer(read["tokenizer"], read["lookups"]["lexeme_norm"])
            self._allowed = _Allowed(_moves(json.loads(read["ner_moves"]["moves"])))
            self._network = _Network(read["ner_model"])
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise EngineError(f"the name finder in {folder} cannot be loaded ({type(error).__name__}: {error})",
                              hint="run: cp-whisperx models verify") from error

    def find(self, text: str) -> tuple[Entity, ...]:
        joined = " ".join(text.split())
        tokens = self._tokenizer.tokens(joined)
        if not tokens:
            return ()
        return tuple(
            Entity(joined[tokens[first].start:tokens[last].start + len(tokens[last].text)], label)
            for first, last, label in self._spans(self._network.states(tokens)))

    def _spans(self, states: Floats) -> list[tuple[int, int, str]]:
        """First token, last token and label of each entity."""
        count = states.shape[0] - 1
        found: list[tuple[int, int, str]] = []
        opened: tuple[int, str] | None = None
        for at in range(count):
            scores = self._network.scores(states, at, opened[0] if opened else None)
            move = self._allowed.best(scores, last=at == count - 1, label=opened[1] if opened else None)
            if move.kind == _BEGIN:
                opened = (at, move.label)
            elif move.kind == _UNIT:
                found.append((at, at, move.label))
            elif move.kind == _LAST and opened:
                found.append((opened[0], at, opened[1]))
                opened = None
        return found


class _Allowed:
    """Which moves may follow: an entity that is open goes on or ends, and none begins on the last token."""

    def __init__(self, moves: list[_Move]) -> None:
        self._moves = moves
        self._masks: dict[tuple[bool, str | None], Floats] = {}

    def best(self, scores: Floats, *, last: bool, label: str | None) -> _Move:
        import numpy as np

        if (last, label) not in self._masks:
            may = [self._may(move, last=last, label=label) for move in self._moves]
            self._masks[last, label] = np.where(may, np.float32(0), np.float32(-np.inf))
        return self._moves[int((scores + self._masks[last, label]).argmax())]

    @staticmethod
    def _may(move: _Move, *, last: bool, label: str | None) -> bool:
        if label is not None:
            return move.label == label and (move.kind == _LAST or (move.kind == _IN and not last))
        return move.kind == _OUT or (bool(move.label) and (move.kind == _UNIT or (move.kind == _BEGIN and not last)))


def _moves(labels: dict[str, dict[str, int]]) -> list[_Move]:
    """The moves in the order of the network's outputs: by kind, then by how often they were seen."""
    return [_Move(kind, label) for kind, counts in sorted(labels.items())
            for _, label in sorted(((count, label) for label, count in counts.items()), reverse=True)]


class _Network:
    def __init__(self, model: dict[str, Any]) -> None:
        by_name: dict[str, list[dict[str, Any]]] = {}
        for node, parameters, attributes in zip(model["nodes"], model["params"], model["attrs"], strict=True):
            by_name.setdefault(node["name"], []).append({**(parameters or {}), "attributes": attributes})
        self._tables = [(table["E"], int(messagepack.unpack(table["attributes"]["seed"])))
                        for table in by_name["hashembed"]]
        self._maxouts = list(zip(by_name["maxout"], by_name["layernorm"], strict=True))
        # The first is the one above: the nodes are listed breadth first.
        self._upper, self._linear = by_name["linear"]
        (self._lower,) = by_name["precomputable_affine"]

    def states(self, tokens: list[Token]) -> Floats:
        """What each token adds to a state in each of its three roles; row 0 stands for no token.

        Shape (1 + n, roles, hidden, pieces).
        """
        import numpy as np

        columns = np.array([[hashing.string_id(feature) for feature in _features(token)] for token in tokens],
                           np.uint64)
        embedded = np.concatenate(
            [table[hashing.rows(columns[:, column], seed, table.shape[0])].sum(axis=1)
             for column, (table, seed) in enumerate(self._tables)], axis=1)
        first, *windows = self._maxouts
        edge = np.zeros((_EDGE, first[0]["W"].shape[0]), np.float32)
        x = np.concatenate([edge, _maxout(embedded, *first), edge])
        for maxout, norm in windows:
            around = np.zeros((x.shape[0] + 2, x.shape[1]), np.float32)
            around[1:-1] = x
            x = x + _maxout(np.concatenate([around[:-2], x, around[2:]], axis=1), maxout, norm)
        vectors = x[_EDGE:-_EDGE] @ self._linear["W"].T + self._linear["b"]
        weights = self._lower["W"]
        roles = (vectors @ weights.reshape(-1, weights.shape[-1]).T).reshape(-1, *weights.shape[:-1])
        result: Floats = np.concatenate([self._lower["pad"].reshape(1, *roles.shape[1:]), roles])
        return result

    def scores(self, states: Floats, at: int, opened: int | None) -> Floats:
        """Of every move, for the token `at` with an entity that is open since token `opened`."""
        rows = (at + 1, 0 if opened is None else opened + 1, 0 if opened is None else at)
        summed = sum(states[row, role] for role, row in enumerate(rows)) + self._lower["b"]
        result: Floats = self._upper["W"] @ summed.max(axis=-1) + self._upper["b"]
        return result


def _maxout(x: Floats, maxout: dict[str, Any], norm: dict[str, Any]) -> Floats:
    """The best of the pieces of each output, then layer normalisation."""
    import numpy as np

    outputs, pieces, inputs = maxout["W"].shape
    y = (x @ maxout["W"].reshape(outputs * pieces, inputs).T).reshape(-1, outputs, pieces) + maxout["b"]
    y = y.max(axis=-1)
    y = (y - y.mean(axis=1, keepdims=True)) / np.sqrt(y.var(axis=1, keepdims=True) + 1e-8)
    result: Floats = (y * norm["G"] + norm["b"]).astype(np.float32)
    return result


def _features(token: Token) -> tuple[str, str, str, str]:
    """Norm, prefix, suffix, shape: in the order of the tables."""
    return token.norm, token.text[0], token.text[-3:], _shape(token.text)


def _shape(text: str) -> str:
    """Letters by case, digits, the rest as it is; of more than four alike, four are kept."""
    if len(text) >= _LONG_SHAPE:
        return "LONG"
    shape = ""
    for character in text:
        kind = ("X" if character.isupper() else "x") if character.isalpha() else \
            "d" if character.isdigit() else character
        if not shape.endswith(kind * 4):
            shape += kind
    return shape
