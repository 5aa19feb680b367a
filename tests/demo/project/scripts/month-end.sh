#!/bin/sh
# Write every client's invoice for a month to invoices/.
#
#   scripts/month-end.sh 2026-03

set -eu

month=${1:?usage: month-end.sh YYYY-MM}
cd "$(dirname "$0")/.."
mkdir -p invoices

grep -v '^#' "sheets/$month.txt" | awk '{ print $3 }' | sort -u | while read -r client; do
    python3 -m hourglass invoice "sheets/$month.txt" "$client" --month "$month" \
        > "invoices/$month-$client.txt"
    echo "invoices/$month-$client.txt"
done
