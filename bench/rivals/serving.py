"""How gunicorn serves the rivals: as it serves the product."""

import os

bind = f"127.0.0.1:{os.environ['BENCH_PORT']}"
worker_class = "gthread"
workers = int(os.environ["BENCH_WORKERS"])
threads = int(os.environ["BENCH_THREADS"])
# A step that takes longer than it may is cut by whoever measures.
timeout = 600
control_socket_disable = True
