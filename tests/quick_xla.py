"""How XLA makes programs in the quickest way, for tests that run each of them once; knows no framework."""

# the older of XLA's two emitters for the CPU, which takes a third of the time
QUICK_XLA = "--xla_cpu_use_fusion_emitters=false"
