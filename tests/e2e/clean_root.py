"""Roots of Debian that hold nothing but its base and what our package asks for; one may be booted, with systemd as its
first process. Needs root, debootstrap and, to boot, systemd-nspawn."""

import contextlib
import fcntl
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import harness

ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "DEBIAN_FRONTEND": "noninteractive",
               "LC_ALL": "C.UTF-8", **{k: v for k, v in os.environ.items() if k.lower().endswith("_proxy")}}

BASE_AGE_MAX_S = 86400


def can_make_roots():
    return os.geteuid() == 0 and shutil.which("debootstrap") and shutil.which("apt-get")


def can_boot_roots():
    return can_make_roots() and all(map(shutil.which, ("systemd-nspawn", "unshare", "nsenter")))


@contextlib.contextmanager
def one_at_a_time():
    """What these tests share is made by the first of them."""
    with open(harness.ROOT / "build/clean-root.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def make_package(place):
    with one_at_a_time():
        made = subprocess.run([harness.ROOT / "scripts/package"], capture_output=True, text=True, timeout=1200)
        assert made.returncode == 0, made.stdout + made.stderr
        shutil.copy(harness.ROOT / made.stdout.split()[-1], place)


def unpack_base(root):
    """Debian's base, fetched once a day."""
    base = harness.ROOT / "build/clean-root.tar"
    with one_at_a_time():
        if not base.exists() or time.time() - base.stat().st_mtime > BASE_AGE_MAX_S:
            with tempfile.TemporaryDirectory(prefix="bursar-base-") as fresh:
                _run("debootstrap", "--variant=minbase", "bookworm", fresh)
                _run("tar", "--numeric-owner", "-C", fresh, "-cf", f"{base}.new", ".")
            os.replace(f"{base}.new", base)
    _run("tar", "--numeric-owner", "-C", root, "-xpf", base)


def _run(*command):
    done = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace", timeout=900)
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}"


class CleanRootCase(harness.ChainCase):
    def make_root(self, *packages):
        """Base, these packages of Debian, and ours."""
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="bursar-root-"))
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        unpack_base(self.root)
        self.root.chmod(0o755)
        (self.root / "etc/apt/sources.list").unlink(missing_ok=True)  # the packages come from where this machine's do
        shutil.copytree("/etc/apt", self.root / "etc/apt", dirs_exist_ok=True)
        for name in ("resolv.conf", "hosts"):
            shutil.copy(f"/etc/{name}", self.root / "etc" / name)
        make_package(self.root / "bursar.deb")
        self.good("apt-get", "-q", "update")
        for package in (*packages, "/bursar.deb"):
            self.good("apt-get", "-q", "-y", "--no-install-recommends", "install", package)

    def in_root(self, *command):
        return subprocess.run(["chroot", str(self.root), *command], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=600, env=ENVIRONMENT)

    def good(self, *command):
        done = self.in_root(*command)
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}")
        return done.stdout


class CannotBoot(Exception):
    """This machine does not let us; says why."""


class Booted:
    """A root that runs, with processes, mounts and control groups of its own; the network is this machine's. All of it is
    gone with end(), or when the test dies: the kernel ends what is in a process namespace together with its first."""

    def __init__(self, root, log):
        self.root, self.log = root, log
        self.groups, self.outer, self.leader = [], None, None

    def start(self):
        try:
            self._make_groups()
        except OSError as error:
            raise CannotBoot(f"no control group of its own: {error}") from error
        # Key pages are locked, which the container's own filter forbids without CAP_IPC_LOCK.
        boot = ("mount -t tmpfs tmpfs /run && exec systemd-nspawn --quiet --boot --directory=\"$0\" --settings=no "
                "--register=no --keep-unit --link-journal=no --resolv-conf=off --timezone=off --console=pipe "
                "--system-call-filter=@memlock")
        with open(self.log, "wb") as out:
            self.outer = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", boot, str(self.root)],
                stdin=subprocess.DEVNULL, stdout=out, stderr=out, preexec_fn=self._enter)
        try:
            harness.wait_until(self._is_up, harness.HANG_S, "systemd to have started everything", interval_s=0.1)
        except AssertionError as error:
            raise CannotBoot(f"{error}\n{self.log.read_text(errors='replace')[-2000:]}") from error
        return self

    def _make_groups(self):
        hierarchies = {}  # the same may be mounted at several places
        for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
            (_, _, device, _, mounted, *_), (kind, _, options) = (half.split() for half in line.split(" - "))
            if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options.split(",")):
                hierarchies.setdefault(device, mounted)
        for mounted in hierarchies.values():
            group = pathlib.Path(mounted, f"bursar-boot-{os.getpid()}")
            group.mkdir()
            self.groups.append(group)

    def _enter(self):
        for group in self.groups:
            (group / "cgroup.procs").write_text("0")
        harness._die_with_parent()

    def _children(self, pid):
        with contextlib.suppress(OSError):
            return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        return []

    def _is_up(self):
        if self.outer.poll() is not None:
            raise CannotBoot(f"it ended with {self.outer.returncode}: {self.log.read_text(errors='replace')[-2000:]}")
        for inner in self._children(self.outer.pid):
            for child in self._children(inner):
                self.leader = child
                if self.run("systemctl", "is-system-running").stdout.strip() in ("running", "degraded"):
                    return True
        return False

    def run(self, *command, user=None, stdin=""):
        command = [*(("runuser", "-u", user, "--") if user else ()), *(str(part) for part in command)]
        return subprocess.run(["nsenter", "--target", str(self.leader), "--all", "--", *command], capture_output=True,
                              text=True, timeout=harness.HANG_S, env=ENVIRONMENT, input=stdin)

    def end(self):
        if self.outer:
            self.outer.kill()
            self.outer.wait()
        while self.groups:
            harness.wait_until(lambda: _is_removed(self.groups[-1]), harness.HANG_S, f"{self.groups[-1]} to be empty")
            self.groups.pop()


def _is_removed(group):
    for path, _, _ in os.walk(group, topdown=False):
        try:
            os.rmdir(path)
        except OSError:
            return False
    return True
