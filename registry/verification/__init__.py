"""The hot read path: may this physician practise here, now, in this scope?"""
