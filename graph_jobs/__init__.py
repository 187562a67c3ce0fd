"""graph_jobs"""
