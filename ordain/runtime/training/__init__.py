"""From a declared recipe to an artifact and the evidence on it.

    order -> datasets -> features -> splits -> pipeline -> export -> evaluation, fairness -> job

Every step takes data and gives data; randomness comes from seeded generators that are arguments,
and no step asks for the time. Two runs of one recipe in one environment give the same bytes.
scikit-learn fits; what it fitted leaves this package as a plan (`ordain.runtime.scoring`), never
as an object. Modules here may import the numeric libraries: only a training process loads them.
`order` and `worker` are the exceptions, light enough for whoever starts that process.
"""
