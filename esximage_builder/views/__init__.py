"""The only room with words for people and tools: text, JSON, Markdown, HTML."""
