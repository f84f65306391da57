"""The data: shipped, simulated, from your FASTA and BED files, or fetched from the web.

Every loader returns a `Dataset`; no other module of the library reads sequences from a file.
Files are plain text, parsed line by line: nothing in a data file can be executed.
"""

from workshop import contents

__all__, __getattr__, __dir__ = contents(
    __name__,
    {
        "shipped": ("load_ctcf", "load_real_ctcf"),
        "simulation": ("simulate_ctcf",),
        "dataset": ("Dataset", "read_dataset", "write_dataset"),
        "windows": ("read_fasta", "read_windows"),
        "peaks": ("read_peaks",),
        "remote": ("CTCF_GM12878", "DownloadError", "RemoteFile", "Source", "fetch_ctcf"),
    },
)
