"""The hash engine beside others' scrypt, in one run: libraries on one and on all
cores, our kernels alone, and the whole service through lighttpd at several sign-ins
at a time."""

import json
import os
import re
import statistics

from harness import process, tree

# The first is the measure of the others.
LIBRARIES = {"libscrypt": "libscrypt", "libsodium": "libsodium",
             "openssl": "OpenSSL"}
CONCURRENT = (1, 2, 4, 8, 16, 32)

MB_PER_MIB = 1.048576

# The lanes whose gain the design promises.
LANES = 4


class Engine:
    def __init__(self, bench, memory):
        """`memory` tells the megabytes of a pool: (pid, arenas) -> MB."""
        self.bench = bench
        self.memory_of = memory
        self.cores = os.cpu_count()
        self.rows = {}
        process.run(["make", "-s", "-C", tree.BUILD, "bench"], check=True,
                    within=300)

    def round(self):
        seconds = self.bench.options.seconds / 2
        base = {}
        for library, name in LIBRARIES.items():
            for cores in dict.fromkeys((1, self.cores)):
                rate = self.bench.raw(cores, seconds, library)
                base.setdefault(cores, rate)
                self.row(f"{name} on {on(cores)}", rate, rate / base[cores],
                         library=name, cores=cores)
        self.kernels()
        for count in CONCURRENT:
            rate = self.bench.load(self.bench.sign_in, count,
                                   2 * seconds).end().rate(200)
            self.row(f"sign-ins, {count} at a time", rate,
                     rate / base[self.cores], concurrent=count)
        self.full_memory()

    def kernels(self):
        """By the processor's time, and each beside libscrypt in the same turn."""
        done = process.run([tree.BUILD / "tests/bench/lanes", "--json",
                            "--rounds", "1"], check=True, within=300)
        four = {True: [], False: []}
        for part in json.loads(done.stdout)["benches"]:
            for one in part["results"]:
                if one["name"] in LIBRARIES.values():
                    continue
                ratio = one["times_libscrypt"]["median"]
                self.row(f"{one['name']}, N=2^{part['log2_n']} p={part['p']} "
                         f"on {on(part['cores'])}",
                         part["cores"] * 1000 / one["ms"]["median"], ratio,
                         kernel=one["name"], cores=part["cores"],
                         log2_n=part["log2_n"], p=part["p"])
            four[part["cores"] == 1].append(max(
                (one["times_libscrypt"]["median"] for one in part["results"]
                 if one["name"].endswith(f"{LANES} lanes")), default=None))
        for figure, alone in (("kernel", True), ("kernel_cores", False)):
            found = [ratio for ratio in four[alone] if ratio is not None]
            if found:
                self.bench.note(figure, min(found))

    def full_memory(self):
        """What all of it takes when every lane has been full, of the sum that
        was announced at the start; and the arenas alone, which is that without
        what other systems' hashes may take.  Read when nobody maps a page any
        more: while some do, the shares of those who have it are no sum."""
        pool = self.bench.pool
        said = {name: int(number) for name, number in re.findall(
            r"\b(hash_slots|hash_other_mib|hash_mib|memory_mib)=(\d+)",
            pool.log())}
        arenas_mib = said["hash_mib"] - \
            said["hash_slots"] * said["hash_other_mib"]
        self.bench.load(self.bench.sign_in, 64, 6).end()
        whole = self.memory_of(pool.pid, True) / MB_PER_MIB
        beside = self.memory_of(pool.pid, False) / MB_PER_MIB
        self.bench.note("memory_sum", whole / said["memory_mib"],
                        in_all=f"{whole:.0f} of {said['memory_mib']} MiB",
                        arenas=f"{whole - beside:.0f} of {arenas_mib} MiB")

    def row(self, name, rate, ratio, **about):
        row = self.rows.setdefault(name, {**about, "rate": [], "ratio": []})
        row["rate"].append(rate)
        row["ratio"].append(ratio)

    def summary(self):
        return {name: {**row, "rate": spread(row["rate"]),
                       "ratio": spread(row["ratio"])}
                for name, row in self.rows.items()}


def on(cores):
    return "one core" if cores == 1 else f"{cores} cores"


def spread(values):
    return {"median": round(statistics.median(values), 3),
            "least": round(min(values), 3), "most": round(max(values), 3)}


def show(rows):
    print(f"\n{'':<28} {'hashes/s':>9}   {'times libscrypt':>16} "
          f"{'least':>7} {'most':>7}")
    for name, row in rows.items():
        if "kernel" not in row:
            print(f"{name:<28} {row['rate']['median']:>9.2f}   "
                  f"{row['ratio']['median']:>16.2f} "
                  f"{row['ratio']['least']:>7.2f} {row['ratio']['most']:>7.2f}")
    show_kernels([row for row in rows.values() if "kernel" in row])


def show_kernels(rows):
    """A line for each number of lanes; p = 3 is a hash alone."""
    columns = list(dict.fromkeys((row["log2_n"], row["p"], row["cores"])
                                 for row in rows))
    print("\ntimes libscrypt     " + "".join(
        f"N=2^{log2_n} p={p} ".rjust(14) for log2_n, p, _ in columns))
    print(" " * 20 + "".join(on(cores).rjust(13) + " "
                             for _, _, cores in columns))
    for kernel in dict.fromkeys(row["kernel"] for row in rows):
        seen = {(row["log2_n"], row["p"], row["cores"]):
                f"{row['ratio']['median']:.2f}"
                for row in rows if row["kernel"] == kernel}
        print(f"{kernel:<20}" + "".join(
            seen.get(column, "").rjust(13) + " " for column in columns).rstrip())
