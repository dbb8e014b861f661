"""The methods that can be trained, by the name that `TrainSettings.method` gives; one file each."""

from demo.methods.lora import LORA
from demo.methods.method import Method

METHODS: dict[str, Method] = {"lora": LORA}
