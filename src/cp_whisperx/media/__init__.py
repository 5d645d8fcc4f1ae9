"""The film as a file: what is in it, its sound as samples, and the film with subtitles put in.

The only part of the program that calls the media library (PyAV).
"""
