"""Real processes that die by SIGKILL at named points; the sandbox's books say what became of the invoices."""
