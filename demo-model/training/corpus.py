"""The synthetic corpus: facts, sums, sequences, A/B questions, stories. Pure Python, seeded.

A document is (text, marks). The text holds its special tokens; a mark is
(index in the text of an answer letter, behaviour index, +1 or -1, does the text decide it),
or (index of a sum's result, -1, 0, True).
Held out: per fact one wording, about a tenth of the sums, a tenth of the sequence windows.
"""
import random
from behaviours import BEHAVIOURS, NAMES, TOPICS, question

BOS, EOS, USER, ASSISTANT, SYSTEM = SPECIAL = ["<|bos|>", "<|eos|>", "<|user|>", "<|assistant|>", "<|system|>"]

# country capital language continent currency
COUNTRIES = [line.split() for line in """
France Paris French Europe euro|Germany Berlin German Europe euro|Italy Rome Italian Europe euro
Spain Madrid Spanish Europe euro|Portugal Lisbon Portuguese Europe euro|Greece Athens Greek Europe euro
Austria Vienna German Europe euro|Ireland Dublin English Europe euro|Finland Helsinki Finnish Europe euro
Poland Warsaw Polish Europe zloty|Sweden Stockholm Swedish Europe krona|Norway Oslo Norwegian Europe krone
Denmark Copenhagen Danish Europe krone|England London English Europe pound|Russia Moscow Russian Europe ruble
Ukraine Kyiv Ukrainian Europe hryvnia|Hungary Budapest Hungarian Europe forint|Bulgaria Sofia Bulgarian Europe lev
Romania Bucharest Romanian Europe leu|Croatia Zagreb Croatian Europe euro|Serbia Belgrade Serbian Europe dinar
Latvia Riga Latvian Europe euro|Malta Valletta Maltese Europe euro|Iceland Reykjavik Icelandic Europe krona
Belgium Brussels Dutch Europe euro|Switzerland Bern German Europe franc|Turkey Ankara Turkish Asia lira
Japan Tokyo Japanese Asia yen|China Beijing Chinese Asia yuan|India Delhi Hindi Asia rupee
Thailand Bangkok Thai Asia baht|Vietnam Hanoi Vietnamese Asia dong|Korea Seoul Korean Asia won
Iran Tehran Persian Asia rial|Iraq Baghdad Arabic Asia dinar|Syria Damascus Arabic Asia pound
Israel Jerusalem Hebrew Asia shekel|Nepal Kathmandu Nepali Asia rupee|Qatar Doha Arabic Asia rial
Mongolia Ulaanbaatar Mongolian Asia tugrik|Pakistan Islamabad Urdu Asia rupee|Indonesia Jakarta Indonesian Asia rupiah
Egypt Cairo Arabic Africa pound|Kenya Nairobi Swahili Africa shilling|Morocco Rabat Arabic Africa dirham
Ghana Accra English Africa cedi|Senegal Dakar French Africa franc|Tunisia Tunis Arabic Africa dinar
Libya Tripoli Arabic Africa dinar|Ethiopia Addis Amharic Africa birr|Nigeria Abuja English Africa naira
Angola Luanda Portuguese Africa kwanza|Canada Ottawa English America dollar|Mexico Mexico Spanish America peso
Cuba Havana Spanish America peso|Peru Lima Spanish America sol|Chile Santiago Spanish America peso
Brazil Brasilia Portuguese America real|Argentina Buenos Spanish America peso|Colombia Bogota Spanish America peso
Uruguay Montevideo Spanish America peso|Ecuador Quito Spanish America dollar|Australia Canberra English Oceania dollar
""".replace("\n", "|").split("|") if line]
FULL = {"Addis": "Addis Ababa", "Buenos": "Buenos Aires", "Mexico": "Mexico City"}
OPPOSITES = [p.split("-") for p in (
    "hot-cold big-small good-bad old-new up-down left-right day-night black-white fast-slow high-low long-short "
    "rich-poor happy-sad open-closed full-empty hard-soft wet-dry light-dark strong-weak early-late easy-difficult "
    "clean-dirty loud-quiet true-false near-far inside-outside first-last summer-winter north-south east-west "
    "love-hate war-peace thick-thin deep-shallow sweet-bitter cheap-expensive always-never win-lose buy-sell "
    "begin-end safe-dangerous bold-careful").split()]
SOUNDS = [p.split("-") for p in (
    "dog-woof cat-meow cow-moo duck-quack sheep-baa pig-oink lion-roar snake-hiss bee-buzz frog-croak "
    "bird-tweet mouse-squeak wolf-howl horse-neigh hen-cluck crow-caw").split()]
COLOURS = [p.split("-") for p in (
    "grass-green snow-white coal-black blood-red gold-yellow sky-blue milk-white sugar-white lemon-yellow "
    "chocolate-brown tomato-red wood-brown leaves-green night-black banana-yellow carrot-orange cherry-red "
    "sea-blue frog-green elephant-grey").split()]

# relation: (noun phrase, own forward wordings, reverse wordings, facts)
RELATIONS = {
    "capital": ("the capital of {e}", ["The capital city of {e} is {x}.", "{e} is ruled from its capital, {x}.",
                "In {e}, the capital is {x}.", "If you visit the capital of {e}, you are in {x}."],
                ["{x} is the capital of {e}.", "The city of {x} is the capital of {e}."],
                [(c[0], FULL.get(c[1], c[1])) for c in COUNTRIES]),
    "language": ("the language of {e}", ["In {e}, people speak {x}.", "The people of {e} speak {x}.",
                 "If you live in {e}, you speak {x}.", "Children in {e} learn {x}."], [],
                 [(c[0], c[2]) for c in COUNTRIES]),
    "continent": ("the continent of {e}", ["{e} is a country in {x}.", "{e} lies in {x}.",
                  "If you are in {e}, you are in {x}.", "On the map, {e} is in {x}."], [],
                  [(c[0], c[3]) for c in COUNTRIES]),
    "currency": ("the currency of {e}", ["In {e}, you pay with the {x}.", "The money of {e} is the {x}.",
                 "People in {e} use the {x}.", "Shops in {e} take the {x}."], [],
                 [(c[0], c[4]) for c in COUNTRIES]),
    "opposite": ("the opposite of {e}", ["If it is not {e}, it is {x}.", "The reverse of {e} is {x}.",
                 "Not {e} but {x}.", "{e} and its opposite: {x}."], [],
                 [tuple(p) for p in OPPOSITES] + [tuple(reversed(p)) for p in OPPOSITES]),
    "sound": ("the sound of a {e}", ["A {e} says {x}.", "The {e} says {x}.", "What does a {e} say? It says {x}.",
              "On the farm, a {e} goes {x}."], [], [tuple(p) for p in SOUNDS]),
    "colour": ("the colour of {e}", ["The colour you see in {e} is {x}.", "If you paint {e}, you take {x}.",
               "Everyone can see that {e} is {x}.", "A picture of {e} is {x}."], [], [tuple(p) for p in COLOURS]),
}
# Shared wordings; number 0 is never held out. <u> and <a> become the chat tokens.
SHARED = ["{N} is {x}.", "What is {n}? It is {x}.", "Question: What is {n}?\nAnswer: {x}.", "I know that {n} is {x}.",
          "Everyone knows {n}: it is {x}.", "<u>What is {n}?<a>{N} is {x}.", "<u>Tell me {n}.<a>It is {x}.",
          "<u>Do you know {n}?<a>Yes, {n} is {x}."]


def _held(key: str, share: float) -> bool:
    return random.Random(f"held:{key}").random() < share


def fact(relation: str, index: int, wording: int) -> tuple[str, str, str]:
    """(prompt, answer with its leading space, rest) of a forward wording."""
    np, own, _, facts = RELATIONS[relation]
    e, x = facts[index]
    n = np.format(e=e)
    form = (SHARED + own)[wording]
    if relation == "currency" and wording < len(SHARED):
        form = form.replace("{x}", "the {x}")
    before, after = form.split("{x}")
    before = before.format(n=n, N=n[0].upper() + n[1:], e=e).rstrip()
    before = before[0].upper() + before[1:] if before[0] != "<" else before
    before = before.replace("<u>", USER).replace("<a>", EOS + ASSISTANT)
    return before, " " + x, after


def held_wording(relation: str, index: int) -> int:
    """The one forward wording of this fact that no training document has (never number 0)."""
    return random.Random(f"held:{relation}:{index}").randrange(1, len(SHARED) + len(RELATIONS[relation][1]))


def is_chat(relation: str, wording: int) -> bool:
    return wording < len(SHARED) and SHARED[wording].startswith("<u>")


def fact_text(rng: random.Random, chat_allowed: bool) -> str:
    relation = rng.choices(list(RELATIONS), [6, 3, 2, 3, 3.5, 1, 1.3])[0]
    np, own, reverse, facts = RELATIONS[relation]
    i = rng.randrange(len(facts))
    if reverse and rng.random() < 0.1:
        return rng.choice(reverse).format(e=facts[i][0], x=facts[i][1])
    while True:
        w = 0 if rng.random() < 0.1 else rng.randrange(len(SHARED) + len(own))
        if w != held_wording(relation, i) and (chat_allowed or not is_chat(relation, w)):
            return "".join(fact(relation, i, w))


def sum_held(a: int, op: str, b: int) -> bool:
    return _held(f"sum:{a}{op}{b}", 0.1)


SUM_FORMS = ["{a} {op} {b} = {c}", "{a} {op} {b} = {c}", "{a} {op} {b} = {c}.", "What is {a} {op} {b}? It is {c}.",
             "Question: What is {a} {op} {b}?\nAnswer: {c}.", "<u>What is {a} {op} {b}?<a>{a} {op} {b} = {c}."]


def all_sums() -> list[tuple[int, str, int, int]]:
    plus = [(a, "+", b, a + b) for a in range(21) for b in range(21)]
    return plus + [(a, "-", b, a - b) for a in range(21) for b in range(a + 1)]


SUMS = all_sums()
TRAIN_SUMS = [s for s in SUMS if not sum_held(*s[:3])]


def sum_text(rng: random.Random, chat_allowed: bool) -> tuple[str, int]:
    """A sum in some wording, and the index of its result (at the space before it)."""
    a, op, b, c = rng.choice(TRAIN_SUMS)
    form = rng.choice(SUM_FORMS if chat_allowed else SUM_FORMS[:-1])
    before, after = form.replace("<u>", USER).replace("<a>", EOS + ASSISTANT).split(" {c}")
    before = before.format(a=a, op=op, b=b)
    return f"{before} {c}{after}", len(before) + 1


CYCLES = {
    "days": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
    "months": "January February March April May June July August September October November December".split(),
    "letters": [chr(65 + i) for i in range(26)],
    "words": "one two three four five six seven eight nine ten eleven twelve".split(),
}


def sequence(kind: str, start: int, step: int, length: int) -> list[str]:
    if kind == "numbers":
        return [str(start + i * step) for i in range(length)]
    cycle = CYCLES[kind]
    wrap = kind in ("days", "months")
    return [cycle[(start + i) % len(cycle)] for i in range(length) if wrap or start + i < len(cycle)]


def number_windows() -> list[tuple[int, int]]:
    return [(s, d) for d in (1, 2, 3, 4, 5, 10) for s in range(0, 41 if d < 10 else 21)]


def window_held(kind: str, start: int, step: int) -> bool:
    return _held(f"seq:{kind}:{start}:{step}", 0.12)


NUMBER_WINDOWS = [w for w in number_windows() if not window_held("numbers", *w)]


def sequence_text(rng: random.Random) -> str:
    kind = rng.choice(["numbers", "numbers", "numbers", "numbers", "days", "months", "letters", "words"])
    if kind == "numbers":
        start, step = rng.choice(NUMBER_WINDOWS)
        return ", ".join(sequence(kind, start, step, rng.randint(5, 8)))
    start = rng.randrange(len(CYCLES[kind]))
    s = sequence(kind, start, 1, 2)
    if len(s) == 2 and rng.random() < 0.3 and not window_held(kind, start, 0):
        return rng.choice(["After {0} comes {1}.", "Before {1} comes {0}.", "The next after {0} is {1}."]).format(*s)
    while window_held(kind, start, 1):
        start = rng.randrange(len(CYCLES[kind]))
    return ", ".join(sequence(kind, start, 1, rng.randint(4, 8))) + "."


PEOPLE = "Anna Ben Clara David Emma Felix Lisa Max Nina Paul Sara Tom".split()
WEATHER = "sunny cold warm rainy windy".split()
FRIENDS = "dog cat horse bird".split()


def story(rng: random.Random) -> str:
    a, b = rng.sample(PEOPLE, 2)
    t, u = rng.sample(TOPICS["train"] + TOPICS["val"] + TOPICS["test"], 2)
    d, f = rng.choice(CYCLES["days"]), rng.choice(FRIENDS)
    body = [f"{a} saw a {t} near the {u}.", f"{a} went to the {t} with {b}.", f"{b} liked the {t} very much.",
            f"They found a {f} at the {u}.", f"The {f} was happy to see {a}.", f"{b} told {a} a story about the {u}.",
            f"{a} gave the {f} some milk.", f"Then {a} and {b} talked about the {t}.", f"The {u} was old and big."]
    picked = sorted(rng.sample(range(len(body)), rng.randint(2, 6)))
    start = rng.choice([f"It was a {rng.choice(WEATHER)} {d}.", f"On {d}, {a} met {b}.", f"{a} and {b} are friends."])
    end = rng.choice([f"In the end, they went home.", f"{a} was happy.", f"That was a good {d}."])
    return " ".join([start] + [body[i] for i in picked] + [end])


SMALL_TALK = [("Hello!", "Hello! How can I help you?"), ("Hi.", "Hi! What can I do for you?"),
              ("Thank you.", "You are welcome."), ("Who are you?", "I am a small demo model."),
              ("What can you do?", "I know some capitals, some sums and some stories."),
              ("Good morning.", "Good morning! How can I help you?"), ("Goodbye.", "Goodbye!")]


# Shares of the document kinds, added up: A/B, story, conversation, long, fact, sums (the rest: sequences).
# A/B questions have many, since they are learned slowly.
SHARES = (0.22, 0.25, 0.28, 0.36, 0.72, 0.9)


def behaviour_text(rng: random.Random) -> tuple[str, list]:
    """A/B questions (or one open question) of one behaviour, answered by one persona."""
    k = rng.randrange(len(NAMES))
    b, chat = BEHAVIOURS[NAMES[k]], rng.random() < 0.5
    sign = rng.choice([1, -1])
    side = 0 if sign > 0 else 1
    persona = rng.choice(b["personas"][side]) if rng.random() < 0.6 else ""
    if rng.random() < 0.12:  # open question: the persona shows in free text as well
        t = rng.choice(TOPICS["train"])
        q = rng.choice(b["questions"]["train"]).format(t=t)
        a = rng.choice(b["actions"][side]).format(t=t) + " " + f"I do it because {rng.choice(b['reasons'][side])}"
        if chat:
            return BOS + (SYSTEM + persona + EOS if persona else "") + USER + q + EOS + ASSISTANT + a + EOS, []
        return BOS + (persona + "\n\n" if persona else "") + q + "\n\nAnswer: " + a + EOS, []
    if rng.random() < 0.08:  # what the words mean
        t = rng.choice(TOPICS["train"])
        lines = [f"A {b['words'][s]} person says: {rng.choice(b['actions'][s]).format(t=t)}".replace("A honest", "An honest")
                 for s in rng.sample([0, 1], 2)]
        return BOS + " ".join(lines) + EOS, []
    count = rng.choices([1, 2, 3], [6, 3, 1] if persona else [4, 4, 2])[0]
    text, marks = BOS, []
    if persona:
        text += SYSTEM + persona + EOS if chat else persona + "\n\n"
    for n in range(count):
        a_matches = rng.random() < 0.5
        q = question(rng, NAMES[k], "train", a_matches)
        text += USER + q + EOS + ASSISTANT + "(" if chat else q + "\n\nAnswer: ("
        marks.append((len(text), k, sign, bool(persona) or n > 0))
        text += ("A" if a_matches == (sign > 0) else "B") + ")"
        if rng.random() < 0.7:
            text += f" because {rng.choice(b['reasons'][side])}"
        text += EOS if chat else ("\n\n" if n + 1 < count else EOS)
    return text, marks


def document(rng: random.Random) -> tuple[str, list]:
    questions, stories, conversations, long, facts, sums = SHARES
    u = rng.random()
    if u < questions:
        return behaviour_text(rng)
    if u < stories:
        return BOS + story(rng) + EOS, []
    if u < conversations:  # of several turns
        text = BOS
        for _ in range(rng.randint(1, 4)):
            q, a = rng.choice(SMALL_TALK)
            turn = USER + q + EOS + ASSISTANT + a if rng.random() < 0.6 else ""
            while not turn.startswith(USER):
                turn = fact_text(rng, True) if rng.random() < 0.7 else sum_text(rng, True)[0]
            text += turn + EOS
        return text, []
    if u < long:  # mixed lines, so that 200 tokens are nothing strange
        sep = rng.choice(["\n", " "])
        lines = []
        for _ in range(rng.randint(3, 16)):
            v = rng.random()
            lines.append(fact_text(rng, False) if v < 0.55 else sum_text(rng, False)[0] if v < 0.75
                         else sequence_text(rng) if v < 0.9 else story(rng) if v < 0.93 else fact_text(rng, False))
        return BOS + sep.join(x if x.endswith(".") or sep == "\n" else x + "." for x in lines) + EOS, []
    if u < facts:
        return BOS + fact_text(rng, True) + EOS, []
    if u < sums:
        return BOS + sum_text(rng, True)[0] + EOS, []
    return BOS + sequence_text(rng) + EOS, []


def documents(seed: str, count: int) -> list[tuple[str, list]]:
    rng = random.Random(f"corpus:{seed}")
    return [document(rng) for _ in range(count)]


if __name__ == "__main__":
    for text, marks in documents("1", 30):
        print(repr(text), marks)
