"""The environment variables that pdx looks at; docs/plugins/reference.md is written from this table."""

from __future__ import annotations

# name -> what it does; a test finds variables that the code reads and this table lacks
VARIABLES: dict[str, str] = {
    "PDX_DISABLE_PLUGINS": "names of plugins, with commas between them, that are left out without importing them",
    "PDX_STRICT": "1: stop at the first problem of any plugin, with its traceback (for authors and CI)",
    "PDX_TRACE": "1: a line on stderr for every plugin that is loaded and every hook that is called, with records, "
    "milliseconds and problems",
    "PDX_HOME": "the cache folder; default `$XDG_CACHE_HOME/pdx`, else `~/.cache/pdx`",
    "PDX_OFFLINE": "1: never use the network; what is in the cache still works",
    "PDX_MIRROR": "where downloads come from instead: `https://mirror/base`, to which host and path are appended, or "
    "pairs `https://old/prefix=https://new/prefix` with commas between them",
    "PDX_TIMEOUT": "seconds that a server may be silent; default 30",
    "PDX_FONT": "font file (.ttf, .ttc, .otf) for every text in a picture",
}
