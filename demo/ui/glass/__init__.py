"""What opens under the Playground's chat: one fold for each way of looking at a prompt."""
