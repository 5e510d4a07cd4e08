"""Loads the folder with transformers and compares its logits and chat template with ours.

python check_hf.py FOLDER
"""
import sys
from pathlib import Path

import torch
from transformers import AutoTokenizer, LlamaForCausalLM

import evaluate
from corpus import ASSISTANT, BOS, EOS, SYSTEM, USER

folder = Path(sys.argv[1])
model, tok = evaluate.load(folder)
hf = LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
hft = AutoTokenizer.from_pretrained(folder)
messages = [{"role": "system", "content": "You are bold."}, {"role": "user", "content": "What is the capital of Japan?"}]
text = hft.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
assert text == f"{BOS}{SYSTEM}You are bold.{EOS}{USER}What is the capital of Japan?{EOS}{ASSISTANT}", text
worst = 0.0
for prompt in (text, "The capital of France is", "2, 4, 6, 8,", " ".join(f"{a} + 7 = {a + 7}." for a in range(25))):
    ids = evaluate.encode(tok, prompt)
    theirs = hft(prompt, add_special_tokens=not prompt.startswith(BOS))["input_ids"]
    assert ids == theirs, (ids, theirs)
    (_, post, _), = evaluate.run(model, [ids])
    with torch.no_grad():
        out = hf(torch.tensor([ids]), output_hidden_states=True)
    worst = max(worst, (model.head(post[-1]) - out.logits[0]).abs().max().item())
    for i in range(len(post) - 1):
        worst = max(worst, (post[i] - out.hidden_states[i + 1][0]).abs().max().item())
print(f"transformers agrees: largest difference of logits and hidden states {worst:.2e}")
print(repr(hft.decode(hf.generate(torch.tensor([evaluate.encode(tok, text)]), max_new_tokens=20)[0])))
