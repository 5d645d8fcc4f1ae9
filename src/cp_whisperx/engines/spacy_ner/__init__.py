"""The entity finder of a spaCy model, version 3, computed with numpy alone: its files in, the same spans out.

The model is a stack of hash embeddings, four residual convolutions and a greedy transition system over BILUO tags.
spaCy and what it needs take some 200 MB for that; this package takes none.
"""
