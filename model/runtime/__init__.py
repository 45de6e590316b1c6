"""How the network is run: by torch or OpenVINO on a CPU, by recorded graphs on a GPU; and the check of it."""
