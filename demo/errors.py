"""Every message a visitor may see: what happened, where, and what to do.

    LabError
    ├── BadInput        a field, a file or a row is outside what is allowed
    ├── NotFound        an unknown, deleted or foreign workspace, run, adapter or prompt: all look alike
    ├── Busy            a limit is reached; trying again later helps
    ├── NotReady        the base model is still loading, or could not be loaded
    └── RunFailed       a run stopped by itself; what was learned before is said

The page shows the same messages in the visitor's language: `demo/ui/text/*.yaml` repeats these
keys under `errors`, and a test holds the keys and the fields in braces equal.
"""

from typing import Any

MESSAGES: dict[str, str] = {
    # fields
    "out_of_range": "{field} must be between {low} and {high}; got {got}.",
    "not_a_number": "{field} must be a number; got {got}.",
    "not_whole": "{field} must be a whole number; got {got}.",
    "not_a_choice": "{field} must be one of {choices}; got {got}.",
    "empty_text": "{field} is empty. Type something first.",
    "text_too_long": "{field} has {got} characters; the most is {high}.",
    "bad_characters": "{field} holds characters that no text encoding allows. Remove them.",
    "prompt_too_long": (
        "The prompt has {got} tokens and the answer may take {new}; together they must fit into {high}."
        " Shorten the prompt or lower max new tokens."
    ),
    "begun_control": "An answer cannot begin with a control token of the template. Choose another token.",
    "branches_full": "This answer has {high} branches already. Ask again to begin a new tree.",
    "branches_deep": "Branches go {high} forks deep, and this one is there. Go on from an earlier token.",
    "branch_token": "This token is not among the alternatives that were told. Choose one of them.",
    "branch_tree": "The lens has lost the answer it showed. Ask again with “Watch every token” on.",
    "judge_before": (
        "“The text so far” is empty: without a beginning there is nothing to be likelier after. "
        "Write one there, such as “The capital of France is”."
    ),
    "continuations_equal": (
        "The continuations are all the same, so there is nothing to compare. Write at least two different ones."
    ),
    "score_too_long": (
        "Prompt and text have {got} tokens together; the most is {high}. Shorten one of them."
    ),
    "attention_too_long": (
        "The prompt has {got} tokens; attention is shown for at most {high}. Shorten the prompt."
    ),
    "not_uploaded": "{field} must be an uploaded file, not a path or an address. Upload it first.",
    # prompt files
    "prompt_file": "{file}: {problem}.",
    "shot_line": "Example {line}: write it as input => output, with text on both sides of the arrow.",
    "no_questions": (
        "{file} holds no question with an answer, so nothing can be scored. Choose a dataset with"
        " questions and answers, or a run that held rows out."
    ),
    "no_worked_shots": (
        "None of these examples shows its steps. Choose examples whose answers end with #### and the"
        " result, as the word problems do, or another chain of thought."
    ),
    "prompt_too_big": "{file} has {got} KB; a prompt may have {high} KB at most. Take examples out.",
    "prompts_full": "Your workspace keeps {got} prompts, the most there may be. Delete one first.",
    # datasets
    "file_too_big": "{file} is {got} MB; the most is {high} MB. Keep fewer rows.",
    "file_empty": "{file} is empty. Upload a file with at least two rows.",
    "file_kind": "{file} is not {wanted}: {problem}. Save it as CSV, JSON or JSONL in UTF-8.",
    "file_extension": (
        "{file}: only .csv, .tsv, .json, .jsonl, .txt and .parquet files can be read. Save it as one of these."
    ),
    "file_line": "{file}, line {line}: {problem}. {cure}",
    "file_row": "{file}, row {row}: {problem}. {cure}",
    "file_damaged": (
        "{file}: {got} damaged lines or rows ({lines}); the first: {problem}."
        " Correct them, or leave them out with the dataset doctor."
    ),
    "edit_conversations": "{file}: conversations do not fit into a table. Correct them in the file.",
    "file_columns": "{file}: choose which column is the prompt and which is the completion.",
    "file_unreadable": "{file} could not be read within {seconds} s and {megabytes} MB. Make it smaller.",
    # experiments
    "labelled_few": (
        "{file} has {got} rows; shots and questions together need at least {low}. Add rows, or take"
        " fewer shots."
    ),
    "labelled_one": (
        "{file} has one label only, {label}: whatever the prompt says, it would be right."
        " Add rows with another label."
    ),
    "labelled_many": (
        "{file} has {got} different answers; at most {high} short ones can be labels. Choose a dataset"
        " whose answers are a few words that repeat."
    ),
    "no_chains": (
        "{file}: no answer ends with a number after ####, so nobody could check a chain of thought."
        " Choose the word problems, or rows written like them."
    ),
    "shots_too_long": (
        "With {shots} shots the prompt has {got} tokens; the most is {high}, the answer included."
        " Take fewer shots, or shorter rows."
    ),
    "experiment_too_long": (
        "This experiment would read about {got} tokens; the most is {high}. Take fewer questions,"
        " orders or shots."
    ),
    "no_own_set": "No dataset of yours stands under Fine-tune yet. Upload one there, or choose a sample.",
    "nothing_compared": "Compare something first, or type a text of your own to look at.",
    "no_own_run": "No run of yours is followed under Fine-tune yet. Train one there, or choose another set.",
    "experiment_busy": "You have an experiment under way already. Wait for it to end, or stop it.",
    "experiments_full": "{got} experiments are under way already. Try again in a few minutes.",
    # runs
    "too_few_rows": "{file} has {got} usable rows; a run needs at least {low}. Add rows.",
    "rows_too_long": (
        "All {got} rows are longer than {high} tokens, so nothing would be learned."
        " Shorten the rows or raise max length."
    ),
    "nothing_trained": "{file}: no row has a completion to learn from. Choose another completion column.",
    "loss_not_finite": (
        "Loss became infinite at step {step}. The last finite weights were kept."
        " Lower the learning rate (it was {rate})."
    ),
    "loss_exploded": (
        "Loss exploded: at step {step} it was more than twice what it began with. The best weights"
        " before were kept. Lower the learning rate (it was {rate})."
    ),
    "worker_died": (
        "The training process ended twice without a word, the last time at step {step}."
        " Go on from its checkpoint, or start the run again."
    ),
    "sweep_values": "A sweep compares {low} to {high} different values; got {got}.",
    "sweep_value": "The value {value} cannot be part of this sweep: {problem}",
    "sweep_without": "{method} has no rank. Choose a method that has one, or another setting.",
    "sweep_objective": (
        "{method} learns labels and not words, so its loss cannot be compared. Leave it out."
    ),
    "sweep_rows": "Only {high} rows can be learned, not {got}. Take fewer, or a larger dataset.",
    "sweep_no_held_out": "No rows are held out, so nothing compares the runs. Raise eval share.",
    "sweep_short": (
        "{got} s are too short for these runs: they need {low} s at least. Take more time, or fewer values."
    ),
    "sweep_too_short": (
        "These runs need {low} s at least, and {high} s is the most that a sweep may take. Take fewer values."
    ),
    "sweep_busy": "You have a sweep under way already. Wait for it to end, or stop it.",
    "rename_unfinished": "This run is still under way. Rename it once it has ended.",
    "notebook_method": (
        "A notebook is written for methods that PEFT builds from a config alone; the method of this run"
        " ({method}) needs more. The card of its adapter says how to load it."
    ),
    "notebook_parent": (
        "This run began with the weights of another one, which a notebook does not have."
        " Ask for the notebook of the first run."
    ),
    "not_resumable": "This run cannot go on: it has finished, or left no checkpoint. Start it again.",
    "other_method_before": (
        "That run was trained with another method or size."
        " Choose the same method and size to begin with its weights."
    ),
    "out_of_memory": "Training ran out of memory at step {step}. Lower the batch size or max length.",
    "run_unfinished": "This run has no adapter yet. Wait until it has finished, or stop it.",
    # adapters
    "adapter_other_base": "{adapter} was trained on {wanted}; this lab runs {got}. It cannot be used here.",
    "adapter_broken": "{adapter} cannot be used: {problem}.",
    "adapter_sum": (
        "{got} cannot be used. Write one name, a name with a strength such as name@0.5, or a sum of two"
        " such as name@0.7 + other@0.3; the base model is part of every sum already."
    ),
    "too_many_adapters": "{got} adapters were chosen; the most is {high}.",
    "virtual_tokens_alone": (
        "An adapter of virtual tokens (prefix, prompt or P-tuning) stands alone: two cannot share the"
        " places before the prompt. Choose one adapter."
    ),
    "virtual_tokens_whole": (
        "Virtual tokens are no change of weights that could be halved: their strength must be 1; got {got}."
    ),
    "virtual_tokens_merged": (
        "Virtual tokens stand before the prompt and cannot be merged into weights."
        " Answer without merging."
    ),
    "head_alone": (
        "A classifier head answers with one of its labels, in place of the model's own words: it cannot"
        " be added to another adapter, made weaker or stronger, merged, or begun for it."
        " Choose it by its name alone."
    ),
    "method_not_here": (
        "This method cannot train this base model with these settings: {problem}. Choose another method,"
        " or a smaller one."
    ),
    "answers_not_one": (
        "{file}: a classifier head learns one label for each question, and {got} rows have no question"
        " or several answers. Choose rows of a question and a label."
    ),
    "adapter_archive": (
        "{file} cannot be brought in: {problem}. Zip the folder that PEFT or this lab saved, just as it is,"
        " and try again."
    ),
    "adapters_full": (
        "Your workspace keeps {got} brought and merged adapters, the most there may be. Delete one first."
    ),
    "merge_kind": (
        "{adapter} is more than a low-rank update, so side by side with another one it would not be their"
        " sum. Merge LoRA, rsLoRA, QLoRA or AdaLoRA adapters."
    ),
    "merge_rank": (
        "Together these adapters have rank {got}; the most is {high}. Merge fewer, or smaller ones."
    ),
    "merge_size": (
        "Together these adapters would take {got} MB; the most is {high} MB. Merge fewer, or smaller ones."
    ),
    "into_base_kind": (
        "{adapter} acts beside the model's weights, which cannot take it in. Take it home as an adapter."
    ),
    "into_base_off": (
        "A whole model has {got} MB, and this lab writes none of that size. Take the adapter home and merge"
        " it there with the lines of code."
    ),
    "copies_full": (
        "{high} changed copies of the model are in use already, and no more fit into memory."
        " Try again in a moment."
    ),
    # taking home
    "keep_too_big": (
        "This file would have {got} MB; the most is {high} MB. Begin a new chat, or keep fewer results."
    ),
    # limits and state
    "not_found": "Nothing was found under this name. It may have been deleted, or the link is incomplete.",
    "queue_full": "{got} answers are waiting already. Try again in about {seconds} s.",
    "visitor_busy": "You have {got} answers under way already. Wait for one to end, or stop it.",
    "runs_busy": "You have {got} runs waiting or running already. Wait for one to end, or stop it.",
    "taste_busy": "Your taste waits or runs already. Wait for its end, or stop it.",
    "taste_needless": (
        "A taste is for a long queue: it is offered once {low} runs wait, and now {got} do. Train as usual."
    ),
    "runs_full": "{got} runs of all visitors are waiting already. Try again later.",
    "disk_full": "There is no room for a new run in this lab at the moment. Delete an old run, or try later.",
    "workspace_full": "Your workspace holds {got} of {high} MB. Delete a run first.",
    "loading": "The model is still loading. Try again in about {seconds} s.",
    "load_failed": "The model could not be loaded: {problem}.",
    "model_rows": (
        "{model} keeps no keys and values of the tokens it has read, so many answers cannot take"
        " turns on it. Choose a model of the catalogue, or another one that does."
    ),
    "share_failed": "No public link could be opened: {problem}. The lab still runs at {address}.",
    "setting": "{name}={got} cannot be used: {problem}.",
    "engine_restarted": "The engine stopped while it answered and was started again. Ask once more.",
    "internal": "Something went wrong here, and it was written to the log. Try again.",
}


class LabError(Exception):
    """An error with a message meant for the visitor.

    Args:
        key: a key of `MESSAGES`.
        **values: what stands in the message's braces.
    """

    def __init__(self, key: str, **values: Any) -> None:
        self.key = key
        self.values = values
        super().__init__(MESSAGES[key].format(**values))


class BadInput(LabError):
    """A field, a file or a row is outside what is allowed."""


class NotFound(LabError):
    """Nothing here under this name, or it belongs to somebody else."""

    def __init__(self) -> None:
        super().__init__("not_found")


class Busy(LabError):
    """A limit is reached; trying again later helps."""


class NotReady(LabError):
    """The base model is loading, or could not be loaded."""


class RunFailed(LabError):
    """A run stopped by itself."""
