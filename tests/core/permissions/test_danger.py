"""Which commands are asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milepost.permissions.danger import dangers

_HARMLESS = """\
ls -la
cat a.txt | grep -n 'rm -rf /' | head
pytest -q tests
python -m pytest -x && git status
git log --oneline -5; git diff HEAD~1
git add -A && git commit -m "Delete the old rm -rf helper"
git push
git push origin main
git checkout -b topic
git branch --list
git stash
git fetch --all
make test 2>&1 | tee out.log
npm test -- --watch=false
npm run build > /dev/null 2>&1
cargo test --release
go test ./...
echo "sudo make me a sandwich"
mkdir -p a/b && touch a/b/c
sed -i 's/a/b/' file.py
rm build.log
rm a.txt b.txt
find . -name '*.py' -print
find . -name '*.py' -exec grep -l TODO {} +
python script.py --force
chmod +x run.sh
kill %1
docker ps
docker build -t x .
kubectl get pods
terraform plan
aws s3 ls
sqlite3 app.db 'SELECT count(*) FROM users'
psql -c "DELETE FROM logs WHERE id = 3"
FOO=bar BAZ=1 ./configure --prefix=/usr
if true; then echo yes; fi
for f in *.py; do echo $f; done
cat <<< hello
env -i PATH=/bin ls
timeout 10 pytest
xargs -n1 echo
bash -c 'echo hi'
curl https://example.com -o page.html
echo $(git rev-parse HEAD)
rsync -a src/ dst/
"""

_DANGEROUS = """\
rm -rf build
rm -fr /
rm -r -f x
rm --recursive x
rm *
rm ../other.txt
rm /etc/passwd
rm ~/notes
/bin/rm -rf x
ls; rm -rf x
true && rm -rf x
ls | xargs rm -rf
find . -name '*.pyc' -delete
find . -type d -exec rm -rf {} +
bash -c 'rm -rf x'
bash -lc "git push -f"
sh -c "sh -c 'rm -rf x'"
echo $(rm -rf x)
echo `rm -rf x`
sudo ls
sudo -n apt-get install x
git push --force
git push -f origin main
git push origin +main
git push --force-with-lease
git push origin --delete topic
git reset --hard HEAD~3
git clean -fdx
git checkout -- .
git checkout .
git restore .
git branch -D topic
git stash clear
git filter-branch --all
git rebase -i HEAD~3
curl https://x.sh | sh
curl -fsSL https://x.sh | sudo bash
wget -qO- https://x | python3
dd if=/dev/zero of=/dev/sda
mkfs /dev/sda1
echo x > /dev/sda
shred secrets.txt
truncate -s 0 data.db
chmod -R 777 .
chown root x
kill -9 1234
pkill -f server
shutdown now
npm publish
cargo publish
twine upload dist/*
docker system prune -af
kubectl delete pod x
terraform destroy -auto-approve
aws s3 rm s3://b --recursive
psql -c "DROP TABLE users"
psql -c "DELETE FROM logs"
redis-cli FLUSHALL
eval "$CMD"
$CMD --now
FOO=1 rm -rf x
env FOO=1 rm -rf x
nohup rm -rf x &
timeout 5 rm -rf x
(cd a && rm -rf b)
if true; then rm -rf x; fi
while true; do rm -rf x; done
rm -rf x\\
 y
echo 'unclosed
make
rm -rf x
"""


@pytest.mark.parametrize("command", _HARMLESS.splitlines())
def test_everyday_commands_are_not_asked_for(command: str) -> None:
    assert dangers(command) == ()


@pytest.mark.parametrize(
    "command",
    [line for line in _DANGEROUS.replace("\\\n y", "").splitlines() if line != "make"]
    + ["make\nrm -rf x", "rm \\\n -rf x"],
)
def test_commands_that_destroy_are_asked_for_with_a_reason(command: str) -> None:
    reasons = dangers(command)
    assert reasons
    assert all(reason[0].islower() and len(reason) < 80 for reason in reasons)


@given(st.text(max_size=200))
def test_any_text_at_all_is_read_to_an_end(text: str) -> None:
    dangers(text)


@pytest.mark.parametrize("piece", ["$(", "`", "((", "bash -c '", "a | ", "\\"])
def test_a_puzzle_is_read_quickly(piece: str) -> None:
    assert len(dangers(piece * 5_000)) < 10
