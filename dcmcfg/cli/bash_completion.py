"""Bash completion of words with ``:`` or ``=``, at which bash splits words.

The script of click passes the split words to the program, so nothing after ``AE:`` or ``ATTR=`` can be completed. It
also lets bash expand the results: an AE title ``*`` becomes the names of files. The script in this module passes the
whole line, and the program returns only the part of a word after the last such character.
"""

from __future__ import annotations

import os
import re

from click.shell_completion import BashComplete, CompletionItem, add_completion_class, split_arg_string

#: The characters of COMP_WORDBREAKS that occur in targets and assignments.
_WORD_BREAK = re.compile(r".*[:=]")
_END = "\x01"
_SCRIPT = r"""%(complete_func)s() {
    local kind value
    COMPREPLY=()
    while IFS=',' read -r kind value; do
        case $kind in
            dir) compopt -o dirnames 2>/dev/null ;;
            file) compopt -o default 2>/dev/null ;;
            plain)
                case $value in *[=/]) compopt -o nospace 2>/dev/null ;; esac
                printf -v value '%%q' "$value"
                COMPREPLY+=("$value")
                ;;
        esac
    done < <(COMP_LINE="${COMP_LINE:0:COMP_POINT}" %(complete_var)s=bash_complete "$1" 2>/dev/null)
    return 0
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class UnsplitBashComplete(BashComplete):
    """Completion for bash that does not split words at ``:`` and ``=``."""

    source_template = _SCRIPT

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the cursor, and the word at the cursor."""
        if "COMP_LINE" not in os.environ:
            return super().get_completion_args()  # a shell with the script of click, from an older dcmcfg
        _, *words = split_arg_string(os.environ["COMP_LINE"] + _END)
        return words[:-1], words[-1].removesuffix(_END) if words else ""

    def format_completion(self, item: CompletionItem) -> str:
        """Return *item* for the script, without the part of the word that bash treats as another word."""
        _, incomplete = self.get_completion_args()
        prefix = _WORD_BREAK.match(incomplete)
        value = str(item.value)
        return f"{item.type},{value[prefix.end() :] if prefix and value.startswith(prefix.group()) else value}"


def install() -> None:
    """Register this completion with click."""
    add_completion_class(UnsplitBashComplete)
