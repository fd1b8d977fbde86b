namespace Marl.Native.Tests;

/// <summary>None of the reference data is passed over.</summary>
[Trait("Category", "Reference")]
public sealed class OtherReference
{
    [Fact]
    public void EveryCaseIsComputedBySomeTest()
    {
        var computed =
            from type in typeof(OtherReference).Assembly.GetTypes()
            where type.IsSubclassOf(typeof(LearnerCases)) && type.GetConstructor([]) is not null
            from c in ((LearnerCases)Activator.CreateInstance(type)!).Cases
            where c.NotBuilt is null
            select c.Name;
        var all = ReferenceData.Files("learners", "*.json").Select(file => Path.GetFileNameWithoutExtension(file));
        Assert.Empty(all.Except(computed).Except(["index"]));
    }
}
