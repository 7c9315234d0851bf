"""Completion in bash of words that hold ``:`` or ``=``, at which bash takes a word for several.

click's own script gives the program the words as bash sees them, so that nothing after ``AE:`` or ``ATTR=`` could be
completed, and has bash expand what comes back, an AE title ``*`` to the names of files. Here the program gets the line
itself, and gives back what is to stand after the last such character.
"""

from __future__ import annotations

import os
import re

from click.shell_completion import BashComplete, CompletionItem, add_completion_class, split_arg_string

#: Of COMP_WORDBREAKS, those that stand in targets and assignments.
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
    """bash, with words that are not split where bash does."""

    source_template = _SCRIPT

    def get_completion_args(self) -> tuple[list[str], str]:
        """Return the words before the cursor, and the one that it stands at the end of."""
        if "COMP_LINE" not in os.environ:
            return super().get_completion_args()  # a shell that still has click's own script
        _, *words = split_arg_string(os.environ["COMP_LINE"] + _END)
        return words[:-1], words[-1].removesuffix(_END) if words else ""

    def format_completion(self, item: CompletionItem) -> str:
        """Return *item* for the script, without that part of the word which bash takes for another word."""
        _, incomplete = self.get_completion_args()
        prefix = _WORD_BREAK.match(incomplete)
        value = str(item.value)
        return f"{item.type},{value[prefix.end() :] if prefix and value.startswith(prefix.group()) else value}"


def install() -> None:
    """Have click complete for bash like this."""
    add_completion_class(UnsplitBashComplete)
