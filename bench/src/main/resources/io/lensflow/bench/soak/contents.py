"""What rows and results hold, against an engine that ran alone and a lens in float64."""
import json
import math
import pathlib

import numpy as np

ROW_TOLERANCE = 2e-4  # of the row's norm
SMALL_GAP = 1e-2  # between the two highest logits: below it another batch may round to the other token
ROWS_AT_ONCE = 256

# What docs/lenses.md ("Accuracy") promises of each path; logits of top tokens have a bound beside it. FAST: entropy and logSumExp on 99.9 % of rows.
TOLERANCE = {
    "FAST": {"logit": 1e-2, "probability": 5e-3, "entropy": 0.1, "logSumExp": 0.1},
    "EXACT": {"logit": 1e-3, "probability": 1e-5, "entropy": 1e-3, "logSumExp": 1e-3},
}
FREE_SHARE = {"FAST": 1e-3, "EXACT": 0.0}


def bfloat16(raw):
    return (np.frombuffer(raw, "<u2").astype(np.uint32) << 16).view(np.float32)


DTYPES = {"F32": lambda raw: np.frombuffer(raw, "<f4"), "F16": lambda raw: np.frombuffer(raw, "<f2"),
          "BF16": bfloat16, "I64": lambda raw: np.frombuffer(raw, "<i8")}
DTYPES |= {"FLOAT32": DTYPES["F32"], "FLOAT16": DTYPES["F16"], "BFLOAT16": bfloat16}


def safetensors(file, wanted=lambda name: True):
    """Tensors of a file by name."""
    with open(file, "rb") as source:
        header = json.loads(source.read(int.from_bytes(source.read(8), "little")))
        base = source.tell()
        tensors = {}
        for name, entry in header.items():
            if name != "__metadata__" and wanted(name):
                begin, end = entry["data_offsets"]
                source.seek(base + begin)
                tensors[name] = DTYPES[entry["dtype"]](source.read(end - begin)).reshape(entry["shape"])
        return tensors


class Lens:
    """Final norm and head of a checkpoint in float64: z = lm_head(final_norm(h))."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        config = json.loads((folder / "config.json").read_text())
        self.layers, self.eps = config["num_hidden_layers"], config["rms_norm_eps"]
        head = "model.embed_tokens.weight" if config.get("tie_word_embeddings") else "lm_head.weight"
        tensors = {}
        for file in sorted(folder.glob("*.safetensors")):
            tensors |= safetensors(file, {"model.norm.weight", head}.__contains__)
        self.norm = tensors["model.norm.weight"].astype(np.float64)
        self.head = tensors[head].astype(np.float64).T.copy()

    def logits(self, rows):
        h = rows.astype(np.float64)
        return h / np.sqrt((h * h).mean(axis=-1, keepdims=True) + self.eps) * self.norm @ self.head


class Contents:
    """Compares and counts; `problems` has a sentence for everything out of tolerance."""

    def __init__(self, model):
        self.lens = Lens(model)
        self.problems = []
        self.rows = self.results = self.tokens = self.tokens_after_gap = 0
        self.worst_row = 0.0
        self.worst = {}
        self.loose = {path: {} for path in TOLERANCE}  # by metric: rows beyond the tolerance
        self.checked = {path: 0 for path in TOLERANCE}

    def check_tokens(self, name, expected, generated, greedy):
        """The tokens are the engine's own choices, up to the first choice that rounding may turn."""
        if not greedy:
            return
        for index, (token, choice, gap) in enumerate(zip(generated, expected["choices"], expected["gaps"])):
            if gap < SMALL_GAP:
                self.tokens_after_gap += len(generated) - index
                return
            self.tokens += 1
            if token != choice:
                self.problems.append(f"{name}: token {index} is {token}, the engine alone chooses {choice}, {gap:.3f} ahead")
                return

    def check_rows(self, name, chunk, expected):
        """Rows of a chunk, each within the tolerance of its norm."""
        rows = payload(chunk)
        truth = expected["rows." + chunk["hookPoint"]]
        layers = {layer: i for i, layer in enumerate(expected["layers"].tolist())}
        places = {position: i for i, position in enumerate(expected["positions"].tolist())}
        here = truth[np.ix_([layers[i] for i in chunk["layers"]], [places[i] for i in chunk["positions"]])].astype(np.float64)
        error = np.linalg.norm(rows - here, axis=-1) / np.maximum(np.linalg.norm(here, axis=-1), 1e-30)
        self.rows += error.size
        worst = float(error.max())
        if not worst <= ROW_TOLERANCE:  # also where it is no number
            layer, position = np.unravel_index(int(np.nanargmax(np.nan_to_num(error, nan=np.inf))), error.shape)
            self.problems.append(
                f"{name} sequence {chunk['sequence']}: the row of {chunk['hookPoint']} layer {chunk['layers'][layer]} position"
                f" {chunk['positions'][position]} is {worst:.1e} of its norm away from the engine alone")
        self.worst_row = max(self.worst_row, worst)

    def check_result(self, name, result, chunk, accuracy):
        """A result against the rows that it decodes."""
        tolerance = TOLERANCE[accuracy]
        layers = [chunk["layers"].index(layer) for layer in result["layers"]]
        positions = [chunk["positions"].index(position) for position in result["positions"]]
        rows = payload(chunk)[np.ix_(layers, positions)].reshape(-1, chunk["shape"][2])
        final = final_rows(chunk, self.lens.layers)
        n, k = len(rows), result["topK"]
        self.results += n
        self.checked[accuracy] += n
        for begin in range(0, n, ROWS_AT_ONCE):
            at = slice(begin, begin + ROWS_AT_ONCE)
            z = self.lens.logits(rows[at])
            top = z.max(axis=-1, keepdims=True)
            lse = (top + np.log(np.exp(z - top).sum(axis=-1, keepdims=True)))[:, 0]
            log_p = z - lse[:, None]
            if k:
                span = slice(begin * k, (begin + len(z)) * k)
                self.check_top(name, result, span, z, log_p, k, tolerance, accuracy)
            entropy = -(np.exp(log_p) * log_p).sum(axis=-1)
            for metric, truth in (("entropy", entropy), ("logSumExp", lse)):
                if result[metric] is not None:
                    self.compare(name, accuracy, metric, np.array(result[metric][at]), truth, tolerance[metric])
            if result["targets"] is not None:
                self.check_targets(name, result["targets"], at, z, log_p, accuracy)
            if (result["kl"] is not None or result["js"] is not None) and final is not None:
                index = np.arange(n)[at] % len(result["positions"])
                self.check_divergences(name, result, at, log_p, final[[positions[i] for i in index]], accuracy)

    def check_top(self, name, result, span, z, log_p, k, tolerance, accuracy):
        ids = np.array(result["topIds"][span]).reshape(-1, k)
        order = np.argpartition(z, -k - 1, axis=-1)[:, -k - 1 :]
        order = np.take_along_axis(order, np.argsort(-np.take_along_axis(z, order, axis=-1), axis=-1), axis=-1)
        sorted_z = np.take_along_axis(z, order, axis=-1)
        apart = -np.diff(sorted_z, axis=-1) > SMALL_GAP
        clear = apart.copy()
        clear[:, 1:] &= apart[:, :-1]
        wrong = clear & (ids != order[:, :k])
        if wrong.any():
            row, rank = np.argwhere(wrong)[0]
            self.problems.append(f"{name}: place {rank + 1} of a row is token {ids[row, rank]}, in float64 {order[row, rank]}")
        mine = np.take_along_axis(z, ids, axis=-1)
        self.compare(name, accuracy, "logit", np.array(result["topLogits"][span]).reshape(-1, k), mine, tolerance["logit"])
        self.compare(name, accuracy, "probability", np.array(result["topProbabilities"][span]).reshape(-1, k),
                     np.exp(np.take_along_axis(log_p, ids, axis=-1)), tolerance["probability"])

    def check_targets(self, name, targets, at, z, log_p, accuracy):
        per_row = targets["targetsPerRow"]
        span = slice(at.start * per_row, (at.start + len(z)) * per_row)
        ids = np.array(targets["ids"][span]).reshape(-1, per_row)
        there, known = ids >= 0, np.maximum(ids, 0)
        own = np.take_along_axis(z, known, axis=-1)
        for metric, truth in (("logits", own), ("logProbabilities", np.take_along_axis(log_p, known, axis=-1))):
            said = np.array(targets[metric][span], dtype=float).reshape(-1, per_row)
            self.compare(name, accuracy, "target " + metric, said[there], truth[there], 0.1 if accuracy == "FAST" else 2e-3)
        if accuracy == "EXACT":
            ranks = 1 + (z[:, None, :] > own[:, :, None]).sum(axis=-1)
            off = np.abs(np.array(targets["ranks"][span]).reshape(-1, per_row) - ranks)[there]
            self.compare(name, accuracy, "rank", off, np.zeros_like(off), 1 + 1e-3 * ranks[there])

    def check_divergences(self, name, result, at, log_q, final, accuracy):
        z = self.lens.logits(final)
        top = z.max(axis=-1, keepdims=True)
        log_p = z - top - np.log(np.exp(z - top).sum(axis=-1, keepdims=True))
        p, q = np.exp(log_p), np.exp(log_q)
        kl = np.maximum((p * (log_p - log_q)).sum(axis=-1), 0)
        if result["kl"] is not None:
            self.compare(name, accuracy, "KL", np.array(result["kl"][at]), kl, 1e-3 + 1e-4 * kl)
        if result["js"] is not None:
            log_m = np.log((p + q) / 2)
            js = ((p * (log_p - log_m)).sum(axis=-1) + (q * (log_q - log_m)).sum(axis=-1)) / 2
            self.compare(name, accuracy, "JS", np.array(result["js"][at]), js, 1e-3)

    def compare(self, name, accuracy, metric, said, truth, tolerance):
        if said.shape != truth.shape:
            self.problems.append(f"{name}: {metric} has {said.size} values, not {truth.size}")
            return
        error = np.abs(said - truth)
        beyond = int((~(error <= tolerance)).sum())
        self.worst[metric] = max(self.worst.get(metric, 0.0), float(error.max(initial=0.0)))
        if beyond:
            free = metric in ("entropy", "logSumExp") and FREE_SHARE[accuracy]
            self.loose[accuracy][metric] = self.loose[accuracy].get(metric, 0) + beyond
            if not free:
                self.problems.append(f"{name}: {metric} is up to {error.max():.2e} off on {beyond} rows")

    def finish(self):
        """What can be said only of all rows together."""
        for accuracy, metrics in self.loose.items():
            for metric, beyond in metrics.items():
                allowed = math.ceil(FREE_SHARE[accuracy] * self.checked[accuracy])
                if metric in ("entropy", "logSumExp") and beyond > allowed:
                    self.problems.append(f"{metric} is out of tolerance on {beyond} of {self.checked[accuracy]} rows")


def payload(chunk):
    """[layers, positions, D] in float64."""
    return DTYPES[chunk["dtype"]](chunk["payload"]).reshape(chunk["shape"]).astype(np.float64)


def final_rows(chunk, layers):
    """RESIDUAL_POST of layer L−1 [positions, D], from wherever the chunk has it."""
    if chunk["finalRow"] is not None:
        return DTYPES[chunk["dtype"]](chunk["finalRow"]).reshape(chunk["shape"][1:]).astype(np.float64)
    if chunk["hookPoint"] == "RESIDUAL_POST" and layers - 1 in chunk["layers"]:
        return payload(chunk)[chunk["layers"].index(layers - 1)]
    return None
